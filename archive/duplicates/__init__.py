"""Duplicates: which assets of a library belong together, which should stay, and what was decided of them."""
