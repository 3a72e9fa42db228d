"""Bytes stay what they are: verified again and again, healed from a mirror, swept of what belongs to nobody."""
