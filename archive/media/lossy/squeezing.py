"""The tasks ``squeeze``, which makes a lossy copy, and ``rate``, by which another process scores one. In the child."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from archive.media.file import MemoryFile, SourceFile
from archive.media.limits import Limits
from archive.media.lossy import tiles
from archive.media.lossy.codecs import ENCODERS
from archive.media.lossy.keeping import Kept, kept_of
from archive.media.lossy.searching import Search
from archive.media.lossy.ssimulacra2 import Reference
from archive.media.lossy.target import BLOB, CODECS, LEAST_SCORE, WORTHWHILE, Target
from archive.media.pictures import Original, own_colours, within
from archive.media.pictures.pillow import pages
from archive.media.sniff import AVIF, HEIC, HEIF, JXL, RAWS, Format, MediaKind, sniff
from archive.media.verdict import Corrupt, LimitExceeded, Unsupported

if TYPE_CHECKING:
    from archive.media.child import Work


_MODERN = frozenset({HEIC, HEIF, AVIF, JXL})
# Above it a copy of what a modern codec has made already is larger than what it is a copy of.
_MODERN_SCORE = 80.0
_LEAST_SIDE = 64
_DEPTH = 8


def squeeze(work: Work) -> dict[str, Any]:
    """Give ``squeezed``; the result says how it was made and what it is worth."""
    target = Target.from_json(work.args)
    found = sniff(work.file)
    _eligible(found, target)
    original = _original(work.file, found, work.limits)
    kept = kept_of(work.file, found, original.profile)
    _carried(kept, target)
    image = within(original.image, target.cap_pixels)
    content, setting, score = Search(np.asarray(image), target, work.progress).found(kept)
    if target.against is not None and len(content) > WORTHWHILE * target.against:
        saved = 1 - len(content) / target.against
        raise Unsupported(f"a copy of that score saves {saved:.0%}, and less than 15 % is not worth the loss")
    work.emit(BLOB, content)
    return {
        "media_type": ENCODERS[target.codec].media_type, "codec": target.codec, "setting": setting, "score": score,
        "width": image.width, "height": image.height, "kept": list(kept.names()),
    }  # fmt: skip


def rate(work: Work) -> dict[str, Any]:
    """Score a copy: the file is the original, so many bytes long as ``first`` says, and the copy behind it."""
    content = work.file.view()
    first = int(work.args["first"])
    both = (MemoryFile(bytes(content[:first])), MemoryFile(bytes(content[first:])))
    one, other = (_original(file, sniff(file), work.limits) for file in both)
    copy = np.asarray(other.image)
    image = within(one.image, copy.shape[0] * copy.shape[1])
    if image.size != other.image.size:
        raise Corrupt("the copy is of another size than its original")
    pixels = np.asarray(image)
    where = tiles.places(pixels)
    score = Reference(tiles.tiles(pixels, where)).score(tiles.tiles(copy, where))
    return {"score": score, "width": copy.shape[1], "height": copy.shape[0]}


def _eligible(found: Format, target: Target) -> None:
    if found.kind is not MediaKind.PHOTO:
        raise Unsupported(f"{found.media_type} is no picture")
    if found in RAWS:
        raise Unsupported("RAW is kept as the camera wrote it: a copy would be another picture")
    if found in _MODERN and target.score > _MODERN_SCORE:
        raise Unsupported(f"{found.name} is small already: a copy of a score above {_MODERN_SCORE:g} would be larger")


def _original(file: SourceFile, found: Format, limits: Limits) -> Original:
    original = own_colours(file, found, limits)
    head = original.header
    if original.damaged:
        raise Corrupt("it cannot be read to its end, and what is broken is kept as it is")
    if head.frames > 1 or pages(file, found) > 1:
        raise Unsupported("it has more than one picture, of which a copy would keep the first")
    if head.depth > _DEPTH:
        raise Unsupported(f"it has {head.depth} bits a channel, and a copy would keep {_DEPTH}")
    if original.image.mode != "RGB":
        raise Unsupported("it is transparent, or printed in four colours, and copies are neither")
    if min(original.image.size) < _LEAST_SIDE:
        raise LimitExceeded(f"it is smaller than {_LEAST_SIDE} pixels: its loss could not be measured")
    return original


def _carried(kept: Kept, target: Target) -> None:
    lost = [name for name in kept.names() if name not in ENCODERS[target.codec].carries]
    if lost:
        raise Unsupported(f"its {' and '.join(lost)} cannot be carried by {target.codec}; choose another codec")


def warm_up() -> None:
    """Do all of it once, so that no child has to load a part of a library."""
    cv2.setNumThreads(1)
    ramp = np.asarray(Image.linear_gradient("L").resize((_LEAST_SIDE, _LEAST_SIDE)).convert("RGB"))
    for codec in CODECS:
        Search(ramp, Target(codec, LEAST_SCORE), lambda _done, _all: None).found(Kept())
