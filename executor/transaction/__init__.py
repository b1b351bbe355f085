"""One change of an environment: stage every wheel, check, write a journal, commit.

Doors: ``transaction.Transaction`` stages (``stager``) and commits; ``journal.Journal`` records what
a commit does, so that the next run can finish it; ``commit.apply`` does it; ``collisions``,
``permission_check`` and ``disk_check`` refuse before the commit what could not be finished.

May import: report, lanes, sources, wheels, environment, lock, archive, budget, files.
"""
