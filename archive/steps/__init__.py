"""Steps: what each asset still needs, who is to do it, and how it ended."""
