"""What the wheels of an index require and contain, read without downloading them.

Doors: ``remote_metadata.MetadataSource`` reads metadata and sizes of wheels; ``core_metadata``
parses METADATA files; ``distribution.Distribution`` is a file that suits the target;
``consistency`` and ``collisions`` find wheels that disagree or that install the same file.

May import: inputs, index, model.
"""
