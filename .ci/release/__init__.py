"""What a release consists of, and how each part is made: `make pyz`, `make release`."""
