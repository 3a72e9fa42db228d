"""Where sealed bytes are kept: one ``Store`` protocol and its stores. Knows no settings and no database."""

from storage.base import ObjectExists, ObjectMissing, Stat, Store, StoreError, StoreRefused, StoreUnavailable
from storage.measured import MeasuredStore, Observe
from storage.opening import check_url, open_store
from storage.retrying import RetryingStore

__all__ = [
    "MeasuredStore",
    "ObjectExists",
    "ObjectMissing",
    "Observe",
    "RetryingStore",
    "Stat",
    "Store",
    "StoreError",
    "StoreRefused",
    "StoreUnavailable",
    "check_url",
    "open_store",
]
