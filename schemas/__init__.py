"""The contract between planner and executor: types and parsers, without I/O.

Doors: ``lock_parser`` reads a lock, ``lock`` and ``blocks`` are its parts; ``hints`` and ``builds``
are its tool tables; ``target`` is a Python and a platform; ``wheel``, ``zipformat`` and ``zip_end``
are the vocabulary of wheels; ``demand`` has the constants of memory and disk; ``errors`` the roots
of errors and the exit codes; ``credentials``, ``digests``, ``sizes``, ``text``, ``urls`` and
``version`` serve both phases.

May import: none of the other rooms; ``packaging`` alone.
"""
