"""The clock on the wall, where a file only says what the time was in Greenwich: films mostly do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from archive.assets import places

if TYPE_CHECKING:
    from archive.media.facts import Facts

_SECONDS = 60


def on_the_wall(facts: Facts) -> Facts:
    """Turn a film's moment in UTC into the time where it was taken, if the film says where."""
    taken, position = facts.taken, facts.position
    if taken is None or taken.source != "video" or taken.offset != 0 or position is None:
        return facts
    name = places.timezone(position.latitude, position.longitude)
    try:
        zone = ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):  # a machine without the zones' rules
        zone = None
    if zone is None:
        return facts
    local = taken.local.replace(tzinfo=UTC).astimezone(zone)
    offset = local.utcoffset()
    minutes = int(offset.total_seconds() // _SECONDS) if offset else 0
    return replace(facts, taken=replace(taken, local=local.replace(tzinfo=None), offset=minutes))
