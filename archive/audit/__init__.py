"""The audit log: who did what that matters for security."""

from archive.audit.service import page, record

__all__ = ["page", "record"]
