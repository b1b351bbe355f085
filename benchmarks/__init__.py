"""Measurements, each a program; docs/benchmarks.md says how to run them and how they are kept fair.

- ``peers`` installs locks with lockstream, uv and pip: ``python -m benchmarks.peers``.
- ``planning`` plans with lockstream and other tools.
- ``builds`` builds packages from source, and compares predicted and measured memory.
- ``installers``, ``mirror``, ``cgroup`` and ``tree_comparison`` serve all of them.
"""
