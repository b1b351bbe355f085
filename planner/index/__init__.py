"""Package indexes: their pages and files, over the network or from the cache.

Doors: ``client.IndexClient`` sends requests; ``reader.IndexReader`` finds the page of a project in
all ``indexes.Indexes``; ``pages`` parses pages in HTML and JSON; ``cache.Cache`` keeps them on
disk.

May import: model.
"""
