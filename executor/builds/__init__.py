"""From a source to a wheel: built in a sandbox, measured, and compared with the plan.

The room is loaded only when something is built. The planner uses it too, by the public names of
``executor``.

Doors: ``builder.Builder`` builds what one execution needs; ``workspace.Workspace`` is the folder of
one build; ``sandbox.contained`` runs a command of it; ``git.check_out`` and
``source_archive.unpack_source`` make a source tree; ``errors`` says what can go wrong.

May import: install, transaction, report, lanes, sources, wheels, environment, lock, archive,
budget, files.
"""
