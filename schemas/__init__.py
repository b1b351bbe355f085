"""The contract between planner and executor: types and parsers, without I/O."""
