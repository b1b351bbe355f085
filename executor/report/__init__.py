"""What an execution reports: events while it runs, figures when it is done.

Doors: ``reporter.Reporter`` receives the events; ``report.Report`` holds the figures;
``timing.Timing`` says where the time went.

May import: lanes, sources, wheels, environment, lock, archive, budget, files.
"""
