"""Prove that a stored form gives back what it should: read it back, have another process decode it, compare."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import aclosing
from typing import TYPE_CHECKING

from archive.errors import Damaged
from archive.forms.giving import Mismatch, segments
from archive.vault import reading
from archive.vault.reading import Piece, Plan

if TYPE_CHECKING:
    from archive.forms.given import Given
    from archive.forms.giving import Giver
    from archive.vault.files import Durable


async def fault_of(giver: Giver, given: Given) -> str | None:
    """Say what is wrong with a form as the store has it; None when it gives back what it should."""
    whole, size, store = hashlib.sha256(), 0, giver.vault.store
    read = reading.read((store,), given.plan) if given.form != "exact" else segments(giver, given, [store])
    try:
        async with aclosing(read) as pieces:
            async for piece in pieces:
                await asyncio.to_thread(whole.update, piece)
                size += len(piece)
    except (Mismatch, Damaged) as error:
        return str(error)
    if size != given.size or whole.digest() != given.sha256:
        return f"it gives back {size} bytes with another hash than the {given.size} that were received"
    return None


def plan_of(durable: Durable) -> Plan:
    """Say how to read a file that no table knows yet."""
    pieces = tuple(Piece(one.key, one.start, one.sealed.size) for one in durable.written)
    return Plan(durable.binding.file_id, durable.size, durable.binding, durable.secret, pieces)
