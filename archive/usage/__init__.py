"""How many bytes a library has, for what, and how many it may have."""
