"""Rendering in the sandbox, beside the bare libraries doing the same: what a process of its own for each file costs."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Iterator
from functools import partial

import pillow_heif
from PIL import Image

from archive.media.pictures import jpeg
from archive.media.sandbox import Gathered, Sandbox
from archive.media.source import memory_source
from archive.media.verdict import Verdict
from tests.bench.figure import Figure
from tests.support.photos import MEGAPIXELS_12, heic, saved, scene

_ROUNDS, _EMPTY = 5, 40
_SIDE, _SHORT, _LONG = 1440, 250, 1000
_PLUGIN = "tests.support.media_tasks"


def measure() -> Iterator[Figure]:
    photos = [scene(*MEGAPIXELS_12, seed) for seed in (1, 2, 3)]
    files = {
        "JPEG": [saved(photo, "JPEG", quality=90) for photo in photos],
        "HEIC": [heic(photo) for photo in photos[:1]],
    }
    yield from asyncio.run(_measured(files))


async def _measured(files: dict[str, list[bytes]]) -> list[Figure]:
    async with Sandbox(plugins=(_PLUGIN,)) as sandbox:
        started = time.perf_counter()
        await sandbox.capabilities()
        figures = [Figure("sandbox", "zygote, until it is ready", time.perf_counter() - started, "s")]
        empty, cpu = await _empty(sandbox)
        figures += [
            Figure("sandbox", "empty task, wall", empty * 1e3, "ms", goal="<= 10"),
            Figure("sandbox", "empty task, CPU of the child", cpu * 1e3, "ms"),
        ]
        for name, photos in files.items():
            figures += await _compared(sandbox, name, photos)
        return figures


async def _empty(sandbox: Sandbox) -> tuple[float, float]:
    best = (float("inf"), 0.0)
    for _ in range(_ROUNDS):
        with await memory_source(b"nothing") as source:
            started = time.perf_counter()
            results = [await sandbox.run("nothing", {}, source) for _ in range(_EMPTY)]
            wall = (time.perf_counter() - started) / _EMPTY
        best = min(best, (wall, sum(result.cpu_seconds for result in results) / _EMPTY))
    return best


async def _compared(sandbox: Sandbox, name: str, photos: list[bytes]) -> list[Figure]:
    """Take turns, photo by photo, so that a slow moment falls on both; the best of each counts."""
    bare = sandboxed = 0.0
    loop = _bare_jpeg if name == "JPEG" else _bare_heic
    for photo in photos:
        best_bare = best_sandboxed = float("inf")
        for _ in range(_ROUNDS):
            best_bare = min(best_bare, _timed(partial(loop, photo)))
            started = time.perf_counter()
            await _rendered(sandbox, photo)
            best_sandboxed = min(best_sandboxed, time.perf_counter() - started)
        bare += best_bare
        sandboxed += best_sandboxed
    yardstick = f"{name}: Pillow, no sandbox"
    size = sum(map(len, photos)) / len(photos) / 1e6
    return [
        Figure("sandbox", f"{yardstick}, 12 MP of {size:.1f} MB", len(photos) / bare, "photos/s"),
        Figure(
            "sandbox", f"{name}: render", len(photos) / sandboxed, "photos/s", yardstick, bare / sandboxed, ">= 0.85"
        ),
    ]


async def _rendered(sandbox: Sandbox, photo: bytes) -> None:
    blobs = Gathered()
    with await memory_source(photo) as source:
        result = await sandbox.run("render", {}, source, blobs=blobs)
    assert result.verdict is Verdict.OK, result
    assert blobs.blobs.keys() == {"preview", "thumb"}


def bare(name: str, photos: list[bytes]) -> float:
    """Give the seconds a photo that Pillow alone takes."""
    loop = _bare_jpeg if name == "JPEG" else _bare_heic
    return sum(min(_timed(partial(loop, photo)) for _ in range(_ROUNDS)) for photo in photos) / len(photos)


def _timed(task: Callable[[], object]) -> float:
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def _bare_jpeg(photo: bytes) -> None:
    image = Image.open(io.BytesIO(photo))
    jpeg.shrink(image, _SIDE)
    _outputs(image)


def _bare_heic(photo: bytes) -> None:
    container = pillow_heif.open_heif(photo)
    _outputs(container[container.primary_index].to_pillow())


def _outputs(image: Image.Image) -> None:
    scale = _SIDE / max(image.size)
    size = (round(image.width * scale), round(image.height * scale))
    preview = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    preview.save(io.BytesIO(), "WEBP", quality=80, method=2)
    scale = min(_SHORT / min(size), _LONG / max(size))
    thumb = preview.resize((round(size[0] * scale), round(size[1] * scale)), Image.Resampling.LANCZOS, reducing_gap=2.0)
    thumb.save(io.BytesIO(), "WEBP", quality=80, method=2)
