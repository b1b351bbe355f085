"""Planning of packages that have no wheel: which sources may be built, how, and what a build takes.

Doors: ``builder.Builder`` reads and builds the sources of one plan; ``build_request.BuildRequest``
and ``policy.BuildPolicy`` say what may be built; ``build_locks.BuildRequirements`` locks what
builds require; ``projects.lock_projects`` measures the builds of the projects at hand; ``opened``
opens all of it for a plan. ``unit.units_of`` lists the builds that a lock leaves to other machines,
``unit_build.UnitBuild`` does one of them, and ``wheel_store`` keeps what it makes. ``claim`` lets
one of several machines do a build.

May import: planning, review, lock, resolver, metadata, inputs, index, model.
"""
