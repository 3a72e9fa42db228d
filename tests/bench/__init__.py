"""``./run bench``: figures against a yardstick measured in the same run."""
