"""The values that the rest of the planner speaks in: dependencies, environments, policies,
addresses, sets of projects.

Doors: ``dependencies.Dependency`` and ``dependencies.Identifier``;
``environments.MarkerEnvironment``; ``policy.Policy``; ``project_set.ProjectSet``;
``direct_reference.DirectReference``; ``specifiers.read_requirement`` and
``specifiers.read_specifiers``; ``paths.relative_path``.

May import: no other room of the planner.
"""
