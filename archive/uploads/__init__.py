"""Resumable uploads: begun, written to by one request at a time, finished into an asset. See docs/storage-format.md."""
