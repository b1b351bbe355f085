"""Judgements of a lock that exists, made without any index: whether it is current, what it costs,
why a package is in it, and what the next plan keeps of it.

Doors: ``check.find_problems`` and ``previous.is_current`` compare a lock with its inputs;
``recorded`` reads what it records of them; ``derived.with_facts`` adds what follows from its files;
``graph.Graph`` is what requires what; ``diff.compare`` and ``header.describe_changes`` tell two
locks apart; ``cost.cost_of`` and ``fit.check_fit`` tell what an execution takes; ``merge_into``
joins the locks of machines; ``subset_choice.SubsetChoice`` and ``subset_file.make_subset`` take a
part; ``standing.Outlook`` is what is newer.

May import: lock, resolver, metadata, inputs, index, model.
"""
