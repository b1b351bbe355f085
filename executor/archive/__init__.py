"""Zip archives, read forwards in one pass: members, their contents, the central directory.

Doors: ``unzip`` (ForwardZip, Member), ``inflate`` (contents), ``chunk_reader`` (ChunkReader),
``central_directory`` (read_directory), ``expansion_limit`` (ExpansionLimit).
May import: only ``schemas``; of the rooms below, ``budget`` and ``files``, it needs nothing.
"""
