"""How well the engine judges, against a truth that is known: `make bench-quality`."""
