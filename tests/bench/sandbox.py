"""Rendering in the sandbox, beside the bare libraries doing the same: what a process of its own for each file costs."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

import pillow_heif
from PIL import Image

from archive.media.pictures import jpeg
from archive.media.sandbox import Gathered, Sandbox
from archive.media.source import memory_source
from archive.media.verdict import Verdict
from tests.bench.figure import Figure
from tests.support.photos import MEGAPIXELS_12, heic, saved, scene

_ROUNDS, _EMPTY = 9, 20
_SIDE, _SHORT, _LONG = 1440, 250, 1000
_PLUGIN = "tests.support.media_tasks"


def measure() -> Iterator[Figure]:
    photos = [scene(*MEGAPIXELS_12, seed) for seed in (1, 2)]
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
            Figure("sandbox", "empty task, CPU of making the child and in it", cpu * 1e3, "ms"),
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
    """Take turns, photo by photo, so that a slow moment falls on both; the median of each counts.

    Processor time is compared, of the child, of making it and of the parent: other work here then counts for less.
    """
    bare, sandboxed = (0.0, 0.0), (0.0, 0.0)
    loop = _bare_jpeg if name == "JPEG" else _bare_heic
    for photo in photos:
        alone, inside = [], []
        for _ in range(_ROUNDS):
            alone.append(_timed(partial(loop, photo)))
            inside.append(await _rendered(sandbox, photo))
        bare = _added(bare, alone)
        sandboxed = _added(sandboxed, inside)
    yardstick = f"{name}: Pillow, no sandbox"
    size = sum(map(len, photos)) / len(photos) / 1e6
    count = len(photos)
    return [
        Figure("sandbox", f"{yardstick}, 12 MP of {size:.1f} MB", count / bare[0], "photos/cpu-s"),
        Figure(
            "sandbox",
            f"{name}: render",
            count / sandboxed[0],
            "photos/cpu-s",
            yardstick,
            bare[0] / sandboxed[0],
            ">= 0.85",
        ),
        Figure("sandbox", f"{yardstick}, wall", count / bare[1], "photos/s"),
        Figure("sandbox", f"{name}: render, wall", count / sandboxed[1], "photos/s", yardstick, bare[1] / sandboxed[1]),
    ]


def _added(sums: tuple[float, float], taken: list[tuple[float, float]]) -> tuple[float, float]:
    return sums[0] + median(cpu for cpu, _ in taken), sums[1] + median(wall for _, wall in taken)


async def _rendered(sandbox: Sandbox, photo: bytes) -> tuple[float, float]:
    blobs = Gathered()
    cpu, wall = time.process_time(), time.perf_counter()
    with await memory_source(photo) as source:
        result = await sandbox.run("render", {}, source, blobs=blobs)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    assert result.verdict is Verdict.OK, result
    assert blobs.blobs.keys() == {"preview", "thumb"}
    return cpu + result.cpu_seconds, wall


def bare(name: str, photos: list[bytes]) -> tuple[float, float]:
    """Give the seconds of processor and of the clock that Pillow alone takes for a photo: the best of some rounds."""
    loop = _bare_jpeg if name == "JPEG" else _bare_heic
    total = (0.0, 0.0)
    for photo in photos:
        total = _added(total, [_timed(partial(loop, photo)) for _ in range(_ROUNDS)])
    return total[0] / len(photos), total[1] / len(photos)


def _timed(task: Callable[[], object]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    task()
    return time.process_time() - cpu, time.perf_counter() - wall


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
    preview = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    preview.save(io.BytesIO(), "WEBP", quality=80, method=2)
    scale = min(_SHORT / min(size), _LONG / max(size))
    thumb = preview.resize((round(size[0] * scale), round(size[1] * scale)), Image.Resampling.BICUBIC, reducing_gap=2.0)
    thumb.save(io.BytesIO(), "WEBP", quality=80, method=2)
