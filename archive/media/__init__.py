"""Media: what a file is and how it looks. Only a sandboxed child decodes; the parent holds the keys and never does.

Knows no database, no settings and no store. The parent's half is ``sandbox`` and ``source``; all else runs in
the child.
"""
