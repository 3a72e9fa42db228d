"""Hostile files: each ends with a verdict within its limits, and a good one after it is rendered as ever."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.media.limits import DEFAULT, MIB
from archive.media.sandbox import Gathered, Result, Sandbox
from archive.media.source import RangeSource, memory_source
from archive.media.verdict import Verdict
from tests.support import hostile
from tests.support.photos import saved, scene

LIMITS = replace(DEFAULT, cpu_seconds=15, wall_seconds=60)
ALLOWED = {
    "png bomb": {"resource_limit"},
    "png of 65000": {"resource_limit"},
    "png of 2^31": {"resource_limit"},
    "png of nothing": {"corrupt"},
    "png text bomb": {"ok"},
    "jpeg bomb": {"resource_limit"},
    "progressive bomb": {"resource_limit"},
    "jpeg of 65000": {"resource_limit"},
    "jpeg of nothing": {"corrupt"},
    "jpeg of many scans": {"resource_limit"},
    "gif bomb": {"resource_limit"},
    "endless gif": {"resource_limit"},
    "tiff bomb": {"resource_limit"},
    "tiff of 65000": {"resource_limit"},
    "webp bomb": {"resource_limit"},
    "heic of 65000": {"resource_limit", "corrupt"},
    "heic of 30000": {"resource_limit", "corrupt"},
    "heic of boxes": {"resource_limit", "corrupt"},
    "jxl of 2^30": {"resource_limit"},
    "huge exif": {"ok"},
    "huge icc": {"ok"},
    "huge xmp": {"ok"},
    "entities": {"ok"},
    "two things": {"ok"},
    "nothing": {"unsupported"},
    "zeros": {"unsupported"},
    "text": {"unsupported"},
}


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as made:
        yield made


async def rendered(sandbox: Sandbox, content: bytes, limits: object = LIMITS) -> Result:
    assert isinstance(limits, type(DEFAULT))
    with await memory_source(content) as source:
        return await sandbox.run("render", {}, source, limits=limits, blobs=Gathered())


@pytest.mark.parametrize("name", hostile.BOMBS)
async def test_a_bomb_ends_with_a_verdict(sandbox: Sandbox, name: str) -> None:
    content = hostile.BOMBS[name]()
    before = _resident()
    result = await rendered(sandbox, content)
    assert result.verdict in ALLOWED.get(name, {"ok", "corrupt", "unsupported", "resource_limit"}), result
    assert result.peak_memory < LIMITS.memory + LIMITS.memory_spare + 200 * MIB
    assert result.cpu_seconds < LIMITS.cpu_seconds + 2
    with await memory_source(content) as source:
        described = await sandbox.run("describe", {}, source, limits=LIMITS)
    assert described.verdict is not Verdict.CRASH, described
    assert (await rendered(sandbox, saved(scene(64, 48), "JPEG"))).verdict is Verdict.OK
    assert _resident() - before < 30 * MIB, "the parent holds nothing of it"


async def test_every_broken_file_ends_with_a_verdict(sandbox: Sandbox) -> None:
    files = dict(hostile.broken())
    before = _resident()
    results = {name: await rendered(sandbox, content) for name, content in files.items()}
    counts = Counter(result.verdict for result in results.values())
    crashed = {name: result.detail for name, result in results.items() if result.verdict is Verdict.CRASH}
    assert not [detail for detail in crashed.values() if "may not" in (detail or "")], crashed
    assert len(crashed) <= len(files) // 50, crashed
    assert not counts[Verdict.TIMEOUT], counts
    assert counts[Verdict.OK] > len(files) // 4, "what can be shown is shown"
    assert counts[Verdict.CORRUPT] > len(files) // 10, counts
    assert (await rendered(sandbox, saved(scene(64, 48), "JPEG"))).verdict is Verdict.OK
    assert _resident() - before < 30 * MIB


@pytest.mark.parametrize("name", ["jpeg", "progressive", "png", "webp", "heic", "jp2", "jxl", "tiff"])
async def test_want_of_memory_is_never_called_damage(sandbox: Sandbox, name: str) -> None:
    """Give a good photo ever less memory: it is shown, or there was too little memory, and nothing else is said."""
    content = hostile.good()[name] if name != "progressive" else saved(scene(3000, 2000), "JPEG", progressive=True)
    seen = set()
    for memory in (400, 48, 24, 16, 12, 8, 6, 4, 3, 2, 1):
        limits = replace(LIMITS, memory=memory * MIB // (1 if name == "progressive" else 4))
        seen.add((await rendered(sandbox, content, limits)).verdict)
    assert seen <= {Verdict.OK, Verdict.RESOURCE_LIMIT}, seen


async def test_damage_is_called_damage_when_there_is_memory(sandbox: Sandbox) -> None:
    content = saved(scene(800, 600), "PNG")
    result = await rendered(sandbox, content[:41] + bytes(len(content) - 41))
    assert result.verdict is Verdict.CORRUPT


async def test_a_picture_is_rendered_by_ranges_as_well(sandbox: Sandbox) -> None:
    for content in hostile.good().values():

        async def read(start: int, length: int, content: bytes = content) -> bytes:
            return content[start : start + length]

        whole, parts = Gathered(), Gathered()
        with await memory_source(content) as source:
            await sandbox.run("render", {}, source, blobs=whole)
        result = await sandbox.run("render", {}, RangeSource(len(content), read), blobs=parts)
        assert result.verdict is Verdict.OK
        assert parts.blobs == whole.blobs


async def test_many_bombs_at_once_leave_a_good_file_alone(sandbox: Sandbox) -> None:
    bombs = [hostile.BOMBS[name]() for name in ("jpeg of many scans", "webp bomb", "huge icc", "heic of boxes")]
    good = saved(scene(640, 480), "JPEG")
    results = await asyncio.gather(*(rendered(sandbox, content) for content in [*bombs, good, *bombs, good]))
    assert results[4].verdict is results[9].verdict is Verdict.OK


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
