"""The memory and the processors that this process may use, and what is done with them.

Doors: ``budget`` (Budget, decide_budget), ``memory`` (smallest_limit), ``confinement`` (confined),
``processors`` (usable_processors, own_processors), ``cgroups`` (own_groups).
May import: ``files``.
"""
