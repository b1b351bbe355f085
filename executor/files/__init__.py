"""Files on disk: written, made durable, counted, and removed.

Doors: ``writer`` (FileWriter), ``destination`` (Destination), ``durability`` (flush), ``mounts``
(file_system), ``disk_space`` (check_space), ``folders`` (remove_tree), ``path_set`` (PathSet).
May import: only ``schemas``; this is the lowest room.
"""
