"""Backups that are proven when they are made, and the way back from them. See docs/storage-format.md."""
