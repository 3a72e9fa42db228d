"""The tags as they are, as much of them as a database row should hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from archive.media.records import storable

VALUE_BYTES = 4 * 1024
WHOLE_BYTES = 256 * 1024


def bounded(tags: Mapping[str, Any]) -> dict[str, Any]:
    """Give the tags as JSON that can be stored: long values cut or named by their size, and not too many."""
    kept: dict[str, Any] = {}
    left = WHOLE_BYTES - 2
    for key, value in tags.items():
        name, shown = storable(key)[:200], _shown(value)
        size = _size(name) + _size(shown) + 4
        if size > left:
            break
        kept[name] = shown
        left -= size
    return kept


def _size(value: Any) -> int:  # noqa: ANN401  # JSON
    return len(json.dumps(value, ensure_ascii=False).encode())


def _shown(value: Any) -> Any:  # noqa: ANN401  # JSON
    value = _clean(value)
    size = _size(value)
    if size <= VALUE_BYTES:
        return value
    if isinstance(value, str):
        # A letter takes up to six bytes as JSON.
        cut = value[: VALUE_BYTES // 6 - 1] + "…"
        longer = value[: VALUE_BYTES - 16].encode()[: VALUE_BYTES - 16].decode(errors="ignore") + "…"
        return longer if _size(longer) <= VALUE_BYTES else cut
    return f"({size} bytes)"


def _clean(value: Any) -> Any:  # noqa: ANN401  # JSON
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {storable(str(key)): _clean(one) for key, one in value.items()}
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return value
