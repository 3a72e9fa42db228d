"""A picture as bare pixels, for models that look at it. Runs in the child."""

from __future__ import annotations

from typing import Any

from archive.media.child import Work
from archive.media.pictures import picture
from archive.media.sniff import sniff

LONGEST = 4096


def pixels(work: Work) -> dict[str, Any]:
    """Give ``pixels``: red, green, blue of every pixel; the result has the size, and that of the original."""
    fit = int(work.args.get("longest", LONGEST))
    shown = picture(work.file, sniff(work.file), work.limits, fit=fit, memory=work.memory)
    image = shown.image.convert("RGB")
    work.emit("pixels", image.tobytes())
    return {"size": list(image.size), "original": list(shown.header.displayed()), "damaged": shown.damaged}
