"""Links by which people without an account see an album, and send to it."""
