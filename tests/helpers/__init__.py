"""What tests share, by subject.

- Files: ``wheels``, ``sdists``, ``repositories`` make good ones; ``archives`` makes zip archives
  field by field; ``hostile`` makes wheels that no installer should install.
- Locks and plans: ``locks``, ``planning``, ``build_records``.
- Servers: ``index`` is a package index, ``servers`` misbehave on demand, ``networks`` lists their
  faults.
- Environments: ``environments``, ``trees``, ``scenarios``, ``pythons``, ``users``, ``namespaces``,
  ``surroundings``.
- Failures: ``faults`` kills processes, ``power`` and ``mounts`` make disks that fail or are small.
- Readers of untrusted bytes, for property tests and fuzzing: ``readers``.
"""
