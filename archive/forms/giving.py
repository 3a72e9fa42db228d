"""Give what was received, whatever is stored. Decoders run in the sandbox alone, and nothing they say is believed.

Each segment is compared before a byte of it leaves, and the whole as it goes: its end is held back until its hash is
right.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from archive import log
from archive.errors import Damaged
from archive.media.exact import container
from archive.media.exact.container import CONTENT, TAIL_BYTES, Broken, Container, Segment
from archive.media.limits import DEFAULT
from archive.media.sandbox import Gathered, Sandbox
from archive.media.source import memory_source
from archive.media.verdict import Verdict
from archive.vault import reading
from storage import StoreUnavailable

if TYPE_CHECKING:
    from archive.forms.given import Given
    from archive.vault.reading import Plan
    from archive.vault.vault import Vault
    from storage import Store

Fault = Callable[["Plan"], Awaitable[None]]
# What one child decodes: enough that starting it does not matter, little enough to be held in memory.
_BATCH = 16 << 20
_AT_ONCE = 2
_MOST = 2 * container.LARGEST_SEGMENT
_LIMITS = replace(DEFAULT, memory=2 << 30, cpu_seconds=120, wall_seconds=300, output_bytes=_MOST)
_log = log.get("forms")


@dataclass(frozen=True, slots=True)
class Giver:
    """Where bytes are, and who decodes them: so many at once that downloads leave room for the rest."""

    vault: Vault
    sandbox: Sandbox
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))


class Mismatch(Exception):
    """A stored form does not give back what it should; says in which way."""


async def read(
    giver: Giver, given: Given, start: int = 0, length: int | None = None, fault: Fault | None = None
) -> AsyncGenerator[bytes, None]:
    """Give an asset's bytes, or a range of them. ``fault`` hears of what a store, or a form, could not give."""
    end = given.size if length is None else min(given.size, start + length)
    if given.form != "exact":
        content = reading.read(giver.vault.stores, given.plan, start, max(0, end - start), fault)
    elif (start, end) == (0, given.size):
        content = _compared(_decoded(giver, given, start, end, fault), given)
    else:
        content = _decoded(giver, given, start, end, fault)
    async with aclosing(content) as pieces:
        async for piece in pieces:
            yield piece


async def segments(giver: Giver, given: Given, stores: Sequence[Store]) -> AsyncGenerator[bytes, None]:
    """Give what these stores alone give back of a form, each segment compared; Mismatch where one is wrong."""
    found = await _container(stores, given)
    for batch in _batches(found.segments):
        for plain in await _from(giver, given, batch, stores):
            yield plain


async def _compared(pieces: AsyncGenerator[bytes, None], given: Given) -> AsyncGenerator[bytes, None]:
    whole, held = hashlib.sha256(), b""
    async with aclosing(pieces):
        async for piece in pieces:
            if held:
                yield held
            await asyncio.to_thread(whole.update, piece)
            held = piece
    if whole.digest() != given.sha256:
        _log.error("form.mismatch", file=str(given.file_id), error="the whole has another hash")
        raise Damaged(_LOUD)
    if held:
        yield held


async def _decoded(
    giver: Giver, given: Given, start: int, end: int, fault: Fault | None
) -> AsyncGenerator[bytes, None]:
    try:
        found = await _container(giver.vault.stores, given)
    except (Mismatch, Damaged) as error:
        await _tell(given, error, fault)
        if given.former is None:
            raise Damaged(_LOUD) from error
        async with aclosing(reading.read(giver.vault.stores, given.former, start, end - start, fault)) as content:
            async for piece in content:
                yield piece
        return
    for batch in _batches(found.touched(start, end - start)):
        for one, plain in zip(batch, await _proven(giver, given, batch, fault), strict=True):
            yield plain[max(0, start - one.start) : end - one.start]


async def _proven(giver: Giver, given: Given, batch: Sequence[Segment], fault: Fault | None) -> list[bytes]:
    """Give what some segments give back, from the first place that has it right."""
    failures = list[Exception]()
    for store in giver.vault.stores:
        try:
            return await _from(giver, given, batch, [store])
        except (Mismatch, Damaged, StoreUnavailable) as error:
            failures.append(error)
            if not isinstance(error, StoreUnavailable):
                await _tell(given, error, fault)
    if given.former is not None:
        try:
            return await _of_former(giver, given.former, batch)
        except (Mismatch, Damaged, StoreUnavailable) as error:
            failures.append(error)
    for failure in failures:
        if isinstance(failure, StoreUnavailable):
            raise failure
    raise Damaged(_LOUD) from failures[0]


async def _of_former(giver: Giver, former: Plan, batch: Sequence[Segment]) -> list[bytes]:
    found = []
    for one in batch:
        async with aclosing(reading.read(giver.vault.stores, former, one.start, one.plain)) as pieces:
            found.append(b"".join([piece async for piece in pieces]))
    await asyncio.to_thread(_require, batch, found)
    return found


async def _from(giver: Giver, given: Given, batch: Sequence[Segment], stores: Sequence[Store]) -> list[bytes]:
    first = batch[0].offset
    stored = sum(one.stored for one in batch)
    async with aclosing(reading.read(tuple(stores), given.plan, first, stored)) as pieces:
        source = await memory_source(pieces, stored)
    asked = [(int(one.codec), one.offset - first, one.stored, one.plain) for one in batch]
    gathered = Gathered(_MOST)
    with source:
        async with giver.room:
            result = await giver.sandbox.run("unpack", {"segments": asked}, source, limits=_LIMITS, blobs=gathered)
    if result.verdict is not Verdict.OK:
        raise Mismatch(f"it cannot be decoded: {result.detail or result.verdict}")
    return await asyncio.to_thread(_cut, batch, gathered.blobs.get(CONTENT, b""))


def _cut(batch: Sequence[Segment], content: bytes) -> list[bytes]:
    if len(content) != sum(one.plain for one in batch):
        raise Mismatch(f"it gives back {len(content)} bytes instead of {sum(one.plain for one in batch)}")
    found, place = [], 0
    for one in batch:
        found.append(content[place : place + one.plain])
        place += one.plain
    _require(batch, found)
    return found


def _require(batch: Sequence[Segment], found: Sequence[bytes]) -> None:
    for one, plain in zip(batch, found, strict=True):
        if len(plain) != one.plain or hashlib.sha256(plain).digest() != one.sha256:
            raise Mismatch(f"it gives back other bytes from byte {one.start} on")


async def _container(stores: Sequence[Store], given: Given) -> Container:
    plan = given.plan

    async def at(start: int, length: int) -> bytes:
        async with aclosing(reading.read(tuple(stores), plan, max(0, start), length)) as pieces:
            return b"".join([piece async for piece in pieces])

    try:
        tail = await at(plan.size - TAIL_BYTES, TAIL_BYTES)
        length = container.index_bytes(tail)
        found = container.parse(await at(plan.size - TAIL_BYTES - length, length), tail, plan.size)
    except Broken as error:
        raise Mismatch(str(error)) from error
    if found.size != given.size:
        raise Mismatch(f"it gives back {found.size} bytes instead of {given.size}")
    return found


def _batches(found: Sequence[Segment]) -> Iterator[list[Segment]]:
    batch: list[Segment] = []
    for one in found:
        if batch and sum(held.plain for held in batch) + one.plain > _BATCH:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


async def _tell(given: Given, error: Exception, fault: Fault | None) -> None:
    _log.error("form.mismatch", file=str(given.file_id), error=str(error))
    if fault is not None:
        await fault(given.plan)


_LOUD = (
    "What is stored of this file does not give back what was received, and there is no second copy of it. The "
    "integrity page says more; restore it from a backup."
)
