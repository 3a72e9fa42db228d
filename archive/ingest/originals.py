"""An original as the sandbox reads it: whole in memory while it is small, else range by range."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from archive.forms import giving
from archive.media.source import RangeSource, Source, memory_source

if TYPE_CHECKING:
    from archive.forms.given import Given
    from archive.forms.giving import Giver

# A raw file of a large camera still fits; a film does not have to.
_IN_MEMORY = 128 << 20


@asynccontextmanager
async def opened(giver: Giver, given: Given) -> AsyncIterator[Source]:
    """Open an original for a child."""
    if given.size <= _IN_MEMORY:
        async with aclosing(giving.read(giver, given)) as pieces:
            held = await memory_source(pieces, given.size)
        with held:
            yield held
        return

    async def read(start: int, length: int) -> bytes:
        async with aclosing(giving.read(giver, given, start, length)) as pieces:
            return b"".join([piece async for piece in pieces])

    yield RangeSource(given.size, read)
