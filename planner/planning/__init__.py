"""One plan, from its question to its lock: resolve, merge, size, and remember the answer.

Doors: ``answer.answer`` plans or remembers, by ``plan.plan`` and ``answer_cache.AnswerCache``;
``outlook.find_outlook`` and ``newest.find_newest`` look for newer versions; ``reporter.Reporter``
is called with what is done.

May import: review, lock, resolver, metadata, inputs, index, model.
"""
