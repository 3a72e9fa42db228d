"""Conversions: a picture in another format, size or quality. Nothing of them goes back into the archive."""
