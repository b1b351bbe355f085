"""Processes that do the steps of an execution: lanes, single forks, and signals that stop them.

Doors: ``lanes`` (run_lanes), ``forks`` (run_in_fork), ``signals`` (stoppable, held_back).
May import: ``sources``, ``wheels``, ``environment``, ``lock``, ``archive``, ``budget``, ``files``.
"""
