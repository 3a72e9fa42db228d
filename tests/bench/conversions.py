"""Lossy copies at measured scores, and conversions beside a bare Pillow loop that does the same."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from PIL import Image

from archive.media.converting.asking import convert as convert_in_sandbox
from archive.media.converting.conversion import Conversion
from archive.media.lossy.making import squeeze
from archive.media.lossy.target import CODECS, Codec, Target
from archive.media.sandbox import Sandbox
from archive.media.source import memory_source
from archive.media.verdict import Refused
from tests.bench.figure import Figure
from tests.support.photos import MEGAPIXELS_12, saved, scene

_SCORES, _WIDTH, _QUALITY = (70.0, 80.0, 90.0), 1600, 85


def lossy(folder: Path | None = None) -> Iterator[Figure]:
    """Give bytes of the original's, and seconds, by codec and score; the yardstick is plain JPEG at it."""
    files = _photos(folder)
    for score in _SCORES:
        plain = asyncio.run(_squeezed(files, "jpeg", score))
        for codec in CODECS:
            size, seconds, refused = plain if codec == "jpeg" else asyncio.run(_squeezed(files, codec, score))
            name = f"{codec} at {score:g}"
            if size:
                yield Figure("lossy", f"{name}, of the original", size, "share", "JPEG", size / (plain[0] or size))
                yield Figure("lossy", f"{name}, a photo", seconds, "s")
            yield Figure("lossy", f"{name}, refused of {len(files)}", refused, "photos")


def conversions(folder: Path | None = None) -> Iterator[Figure]:
    """Give photos a second at 1600 pixels across; the yardstick is Pillow alone in this process."""
    files = _photos(folder)
    for to in ("jpeg", "webp"):
        bare = len(files) / _seconds(files, to)
        ours = len(files) / asyncio.run(_converted(files, Conversion(to, width=_WIDTH)))
        yield Figure("convert", f"Pillow alone to {to}", bare, "photos/s")
        yield Figure("convert", f"to {to}", ours, "photos/s", "Pillow", ours / bare, ">= 0.8")


def _photos(folder: Path | None) -> list[bytes]:
    if folder is not None:
        return [file.read_bytes() for file in sorted(folder.glob("*.[jJ][pP]*[gG]"))]
    return [saved(scene(*MEGAPIXELS_12, seed), "JPEG", quality=92) for seed in (1, 2)]


async def _squeezed(files: list[bytes], codec: Codec, score: float) -> tuple[float, float, int]:
    before, after, refused, started = 0, 0, 0, time.perf_counter()
    async with Sandbox() as sandbox:
        await sandbox.capabilities()
        started = time.perf_counter()
        for content in files:
            with await memory_source(content) as source:
                try:
                    made = await squeeze(sandbox, source, Target(codec, score))
                except Refused:
                    refused += 1
                    continue
            before, after = before + len(content), after + len(made.content)
    return after / before if before else 0.0, (time.perf_counter() - started) / len(files), refused


async def _converted(files: list[bytes], wanted: Conversion) -> float:
    async def take(pieces: AsyncIterator[bytes]) -> None:
        async for _ in pieces:
            pass

    async with Sandbox() as sandbox:
        await sandbox.capabilities()
        started = time.perf_counter()
        for content in files:
            with await memory_source(content) as source:
                await convert_in_sandbox(sandbox, source, wanted, take)
        return time.perf_counter() - started


def _seconds(files: list[bytes], to: str) -> float:
    started = time.perf_counter()
    for content in files:
        image = Image.open(io.BytesIO(content)).convert("RGB")
        image.resize((_WIDTH, round(image.height * _WIDTH / image.width)), Image.Resampling.BICUBIC).save(
            io.BytesIO(), to.upper(), quality=_QUALITY
        )
    return time.perf_counter() - started
