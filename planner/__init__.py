"""Requirement to lock: resolve, size every wheel, write a pylock.toml."""
