"""Where sealed bytes are kept: one ``Store`` protocol and its stores. Knows no settings and no database."""

from storage.base import ObjectExists, ObjectMissing, Stat, Store, StoreError, StoreUnavailable
from storage.opening import check_url, open_store

__all__ = [
    "ObjectExists",
    "ObjectMissing",
    "Stat",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "check_url",
    "open_store",
]
