"""From source to wheel: contained, measured, checked. Loaded only where something is built."""
