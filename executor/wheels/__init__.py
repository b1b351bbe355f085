"""One wheel: from the bytes of its archive to files that are ready to be moved into place.

A wheel is unpacked in one pass, checked against its own RECORD and central directory, and finished:
scripts, RECORD and the installer's metadata are written.

Doors: ``unpack.stage_wheel`` makes a ``staged_wheel.StagedWheel``; ``rules.Rules`` says which
checks the user has waived; a wheel that breaks one of the others raises ``errors.WheelRefused``.

May import: environment, lock, archive, budget, files.
"""
