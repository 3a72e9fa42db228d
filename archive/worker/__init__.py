"""A worker process: RQ hears the bell, the table says what to do, and one event loop does it."""

from archive.worker.process import wake

__all__ = ["wake"]
