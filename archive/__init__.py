"""The product: its decisions, its tables and its jobs. Knows ``storage`` and ``ml``, never ``api``."""

__version__ = "0.1.0"
