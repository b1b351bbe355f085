"""Locks: composed of solutions, rendered, written, read and extended.

Doors: ``merge.merge`` joins the solutions of all environments; ``compose.build_lock`` makes a
``Pylock`` of them; ``writer.render_lock`` and ``writer.write_atomically`` put it on disk;
``reader.read_lock`` reads a lock of any origin; ``enrich.enrich`` adds hints to the lock of another
tool; ``built.Built`` is a wheel that stands in for a source; ``tree_digest`` knows a
folder by its content; ``decided_marker.decided`` leaves of a marker what is not decided.

May import: resolver, metadata, inputs, index, model.
"""
