"""A lock in the forms that other tools read: a requirements file with hashes for pip and uv, a bill
of materials (CycloneDX), and a dependency snapshot for GitHub.

Doors: selection (select_packages), direct (find_direct), requirements_file (write_requirements),
sbom (bill_of_materials), snapshot (dependency_snapshot), workflow_run (WorkflowRun).

May import: review, lock, inputs, model.
"""
