"""The environment that is installed into: its interpreter, its folders, what they hold.

Doors: ``environment.Environment`` names an environment; ``interpreter.probe`` describes a Python;
``schemes.Schemes`` are the folders; ``places`` compares paths however they are spelled;
``installed.installed_distributions`` reads what is there;
``changes.decide_changes`` and ``drift.find_drift`` compare it with the steps of a lock;
``uninstall`` removes a distribution; ``bytecode`` compiles what was installed.

May import: lock, archive, budget, files.
"""
