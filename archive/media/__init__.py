"""Photos and films: what they are, what they say of themselves, what they look like; decoded in a sandbox only."""
