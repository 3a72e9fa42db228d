"""An original as the sandbox reads it: whole in memory while it is small, else range by range."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from archive.media.source import RangeSource, Source, memory_source
from archive.vault import reading

if TYPE_CHECKING:
    from archive.vault.reading import Plan
    from archive.vault.vault import Vault

# A raw file of a large camera still fits; a film does not have to.
_IN_MEMORY = 128 << 20


@asynccontextmanager
async def opened(vault: Vault, plan: Plan) -> AsyncIterator[Source]:
    """Open an original for a child."""
    if plan.size <= _IN_MEMORY:
        async with aclosing(reading.read(vault.stores, plan)) as pieces:
            held = await memory_source(pieces, plan.size)
        with held:
            yield held
        return

    async def read(start: int, length: int) -> bytes:
        async with aclosing(reading.read(vault.stores, plan, start, length)) as pieces:
            return b"".join([piece async for piece in pieces])

    yield RangeSource(plan.size, read)
