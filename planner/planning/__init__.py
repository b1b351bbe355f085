"""One plan, from its question to its lock: resolve, merge, size, and remember the answer.

Doors: plan (plan, Plan), answer (answer), answer_cache (AnswerCache), reporter
(Reporter).

May import: review, lock, resolver, metadata, inputs, index, model.
"""
