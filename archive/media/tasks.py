"""What a child can do, by name, and what the zygote does before it forks so that no child has to open a file."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from typing import Any

from PIL import Image

from archive.media import films, looking, seeing, warming
from archive.media.child import Work
from archive.media.converting import picturing
from archive.media.description import describe
from archive.media.exact import tasks as exact
from archive.media.facts import DESCRIPTION
from archive.media.lossy import squeezing
from archive.media.pictures import picture
from archive.media.pixels import pixels
from archive.media.renditions import PREVIEW_SIDE, render_image
from archive.media.sniff import MediaKind, sniff
from archive.media.verdict import Unsupported

Task = Callable[[Work], dict[str, Any]]
_ENCODINGS = ("latin-1", "ascii", "cp1252", "cp1251", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "idna", "mac-roman")


def render(work: Work) -> dict[str, Any]:
    """Give ``preview`` and ``thumb`` of a picture; the result has all sizes and the thumbhash."""
    found = sniff(work.file)
    if found.kind is MediaKind.VIDEO:
        return films.render(work)
    if found.kind is not MediaKind.PHOTO:
        message = f"nothing to show of {found.media_type}"
        raise Unsupported(message)
    shown = picture(work.file, found, work.limits, fit=PREVIEW_SIDE, memory=work.memory)
    width, height = shown.header.displayed()
    return {**render_image(shown.image, work.emit), "width": width, "height": height, "damaged": shown.damaged}


def describe_and_render(work: Work) -> dict[str, Any]:
    """Describe a file and, of a picture, give its renditions at once: ``rendered`` in the result says what of them.

    The description is given as a blob before anything is decoded, and so survives whatever happens then.
    """
    described = describe(work)
    if described["facts"]["kind"] != "photo":
        return described
    work.emit(DESCRIPTION, json.dumps(described).encode())
    return {**described, "rendered": render(work)}


TASKS: dict[str, Task] = {
    "describe": describe,
    "render": render,
    "describe_and_render": describe_and_render,
    "play": films.play,
    "convert_film": films.convert,
    "pixels": pixels,
    "look": looking.look,
    "pack": exact.pack_task,
    "unpack": exact.unpack_task,
    "squeeze": squeezing.squeeze,
    "rate": squeezing.rate,
    "convert": picturing.convert,
}


def warm_up() -> None:
    """Load what libraries load when they are first used, and decode one small picture of each family."""
    Image.init()
    for name in _ENCODINGS:
        codecs.lookup(name)
    warming.decode_samples()
    seeing.warm_up()
    exact.warm_up()
    squeezing.warm_up()
    picturing.warm_up()
