"""Assets: received, looked at, put into the trash and out of it, purged."""
