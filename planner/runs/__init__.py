"""Runs that are over: their logs, read and shown as a page, as Markdown, or as a trace.

Doors: ``reading.read_run`` reads a log; ``advice.verdict``, ``advice.advise``,
``render.render_runs``, ``markdown.to_markdown`` and ``trace.to_trace`` show runs;
``required_by.required_by`` names what requires a package; ``diff_page`` shows what differs between
two locks.

May import: review, lock, model.
"""
