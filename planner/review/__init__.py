"""Judgements of a lock that exists, made without any index: whether it is current, what it costs,
why a package is in it, and what the next plan keeps of it.

Doors: check (find_problems, find_undecided), previous (is_current, preferences, check_files),
derived (with_facts), header (describe_changes), planned_lock (PlannedLock), recorded, graph
(Graph), diff (compare), cost (cost_of), fit (check_fit), merge_into, subset_choice (SubsetChoice,
SubsetOrigin), subset_file (make_subset, find_subset_problems).

May import: lock, resolver, metadata, inputs, index, model.
"""
