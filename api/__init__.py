"""Every way in: HTTP, the command line, and later the dialects other clients speak."""
