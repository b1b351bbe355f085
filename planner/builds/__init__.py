"""Planning of packages that have no wheel: which sources may be built, how, and what a build takes.

Doors: ``builder.Builder`` reads and builds the sources of one plan; ``policy.BuildRequest`` and
``policy.BuildPolicy`` say what may be built; ``build_locks.BuildRequirements`` locks what builds
require; ``projects.lock_projects`` measures the builds of the projects at hand.

May import: planning, review, lock, resolver, metadata, inputs, index, model.
"""
