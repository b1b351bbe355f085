"""Builds as work for engines that run it on other machines.

Doors: ``forms.FORMS`` writes the builds of a lock as text for one of them, each form in a module;
``dask_engine`` runs them.

May import: builds and every room below it.
"""
