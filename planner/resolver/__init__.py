"""The resolver: selects one release of every project that the inputs require, or explains why no
selection is possible.

Doors: ``solve.solve`` answers for all environments, with ``solve.Solution`` and
``resolution.ResolvedPackage`` as its results; ``unsolvable.Unsolvable`` is its refusal;
``prefetch.Fetcher`` fetches for it; ``releases.Project`` and ``evaluator.FileEvaluator`` judge
what an index lists; ``builder.SourceBuilder`` is what it needs of a builder.

May import: metadata, inputs, index, model.
"""
