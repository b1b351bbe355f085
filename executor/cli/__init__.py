"""The commands ``execute`` and ``verify``: options in, calls of the library, results out.

Doors: ``execute.execute`` and ``verify.verify`` are the commands; ``option_group.option_group``
makes one value of a group of options.

May import: api, builds, install, transaction, report, lanes, sources, wheels, environment, lock,
archive, budget, files.
"""
