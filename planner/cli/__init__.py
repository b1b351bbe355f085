"""The commands of the planner, one module for each command or pair of commands.

Doors: ``plan``, ``init``, ``check``, ``show``, ``tree``, ``enrich``, ``export``, ``outdated``,
``subset``, ``cache``, ``builds``, ``build`` and ``report``; each holds the click command of that
name.

May import: api and every room below it, and the public names of the executor.
"""
