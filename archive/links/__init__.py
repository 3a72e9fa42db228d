"""One-time links: made for one purpose, used once, stored only as hashes."""
