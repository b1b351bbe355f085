"""The walk from a lock to an environment: decide, check memory and disk, run the transaction.

Doors: ``install.install`` is the walk; ``decide.decide`` and ``decide.verify_environment`` only
read; ``installation_key.installation_key`` digests what would be installed;
``options.ExecuteOptions`` holds the options; ``builder.WheelBuilder`` is the protocol of whatever
builds wheels.

May import: transaction, report, lanes, sources, wheels, environment, lock, archive, budget, files.
"""
