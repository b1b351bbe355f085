"""A lock in the forms that other tools read: a requirements file with hashes for pip and uv, a bill
of materials (CycloneDX), and a dependency snapshot for GitHub.

Doors: ``selection.select_packages`` selects what is exported, and ``direct.find_direct`` tells what
the inputs require; ``pip_requirements.write_requirements``, ``sbom.bill_of_materials`` and
``snapshot.dependency_snapshot`` write it; ``workflow_run.WorkflowRun`` is what a snapshot is of.

May import: review, lock, inputs, model.
"""
