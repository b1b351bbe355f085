"""From the text of a lock to the steps of one execution.

A lock is read one package at a time; what the target needs of it is selected before anything is
written.

Doors: ``reader.LockReader`` reads a lock; ``selection.Selector`` selects a ``step.Step`` per
package for a target; ``options.SelectOptions`` is the user's choice of extras, groups and projects;
``local_project.LocalProject`` makes a step of a folder.

May import: archive, budget, files.
"""
