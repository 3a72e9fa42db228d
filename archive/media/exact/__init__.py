"""The exact form: a container that is smaller than a file and gives it back bit for bit. See docs/space.md.

Pure, and usable alone: bytes in, bytes out. It is run by children of the sandbox, and proven by others.
"""
