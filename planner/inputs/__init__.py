"""What the user wants planned: projects, scripts, requirements files, settings and options, read
into one value.

Doors: ``provenance.read_inputs`` reads all that a ``provenance.Provenance`` names into an
``inputs.Inputs``; ``options.IndexRequest`` and ``options.PolicyRequest`` put the command line over
the project's ``settings.Settings``; ``targets.targets_for`` chooses the targets;
``question.Question`` is all of it together; ``recorded_options`` keeps options in a lock.

May import: index, model.
"""
