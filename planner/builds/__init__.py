"""Planning of what has no wheel: which sources may be built, with what, and what that takes."""
