"""Backups that are proven when they are made, and the way back. See docs/storage-format.md."""
