"""The task ``convert``: pictures, decoded, made to fit, marked, and written in another format. In the child."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from archive.media.converting.conversion import BLOB, MOST_PAGES, Conversion
from archive.media.converting.watermark import marked
from archive.media.converting.writers import CARRIES, FLAT, MOST_SIDES, bound, written
from archive.media.file import MemoryFile, SourceFile
from archive.media.lossy.keeping import Kept, metadata_of
from archive.media.lossy.searching import Search
from archive.media.lossy.target import Target
from archive.media.pictures import Original, own_colours, scaled, srgb
from archive.media.pictures.pillow import page_files, pages
from archive.media.sniff import MediaKind, sniff
from archive.media.verdict import LimitExceeded, Unsupported

if TYPE_CHECKING:
    from archive.media.child import Work

_WHITE = (255, 255, 255)


def convert(work: Work) -> dict[str, Any]:
    """Give ``converted``. Several files come one behind the other, with their ``sizes``; each is a page or more."""
    wanted = Conversion.from_json(work.args["conversion"])
    sizes = work.args.get("sizes")
    return _bound(work, wanted, sizes) if wanted.to == "pdf" else _one(work, wanted)


def _one(work: Work, wanted: Conversion) -> dict[str, Any]:
    original, kept = _opened(work, work.file, wanted)
    image = _made(original, wanted)
    lost = [name for name in kept.names() if name not in CARRIES[wanted.to]]
    kept = kept.without(lost)
    if wanted.score is not None:
        target = Target(wanted.to, wanted.score)  # type: ignore[arg-type]  # checked by the conversion
        content, _, score = Search(np.asarray(flat(image)), target, work.progress).found(kept)
    else:
        content, score = written(image, wanted, kept), None
    work.emit(BLOB, content)
    return _said([image], score, lost, damaged=original.damaged)


def _bound(work: Work, wanted: Conversion, sizes: list[int] | None) -> dict[str, Any]:
    shown: list[tuple[int, int]] = []
    damaged = False

    def images() -> Iterator[Image.Image]:
        nonlocal damaged
        for number, page in enumerate(_pages(work, sizes)):
            if number >= MOST_PAGES:
                raise LimitExceeded(f"it has more than {MOST_PAGES} pages")
            original, _ = _opened(work, page, wanted)
            image = _made(original, wanted)
            shown.append(image.size)
            damaged |= original.damaged
            work.progress(number, max(number + 1, len(sizes or ())))
            yield image

    work.emit(BLOB, bound(images(), wanted))
    first = shown[0]
    return {"width": first[0], "height": first[1], "pages": len(shown), "score": None, "lost": [], "damaged": damaged}


def _pages(work: Work, sizes: list[int] | None) -> Iterator[SourceFile]:
    content, start = work.file.view(), 0
    for size in sizes or [len(content)]:
        file = MemoryFile(bytes(content[start : start + size]))
        start += size
        found = sniff(file)
        if pages(file, found) > 1:
            yield from page_files(file)
        else:
            yield file


def _opened(work: Work, file: SourceFile, wanted: Conversion) -> tuple[Original, Kept]:
    found = sniff(file)
    if found.kind is not MediaKind.PHOTO:
        raise Unsupported(f"{found.media_type} is no picture")
    original = own_colours(file, found, work.limits, memory=work.memory)
    if wanted.colours == "srgb":
        original = srgb(original)
    kept = metadata_of(file, found) if wanted.metadata == "keep" else Kept()
    return original, replace(kept, profile=original.profile)


def _made(original: Original, wanted: Conversion) -> Image.Image:
    image = original.image
    fits = [limit / side for limit, side in zip((wanted.width, wanted.height), image.size, strict=True) if limit]
    if (scale := min(fits, default=1.0)) < 1:
        image = scaled(image, (max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    if max(image.size) > MOST_SIDES.get(wanted.to, max(image.size)):
        raise Unsupported(f"a {wanted.to} has at most {MOST_SIDES[wanted.to]} pixels on a side: ask for a smaller one")
    if wanted.to in FLAT:
        image = flat(image)
    return marked(image, wanted.watermark) if wanted.watermark else image


def flat(image: Image.Image) -> Image.Image:
    """Put what is transparent on white, as paper is."""
    if image.mode != "RGBA":
        return image
    laid = Image.new("RGB", image.size, _WHITE)
    laid.paste(image, mask=image.getchannel("A"))
    return laid


def _said(images: list[Image.Image], score: float | None, lost: list[str], *, damaged: bool) -> dict[str, Any]:
    width, height = images[0].size
    return {
        "width": width, "height": height, "pages": len(images), "score": score, "lost": lost, "damaged": damaged,
    }  # fmt: skip


def warm_up() -> None:
    """Write a small picture in every format, so that no child has to load a part of a library."""
    image = Image.linear_gradient("L").resize((32, 32)).convert("RGB")
    for to in CARRIES:
        written(marked(image, "warm"), Conversion(to), Kept())
    bound(iter([image, image]), Conversion("pdf"))
