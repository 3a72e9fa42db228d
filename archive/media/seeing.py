"""A picture as duplicates and quality see it: one look and all scores, from its pixels. Runs in the child."""

from __future__ import annotations

import numpy as np
from PIL import Image

from archive.media.pictures import smaller
from ml.duplicates import hashes, look
from ml.quality import scores
from ml.quality.pages import Sort
from ml.quality.sharpness import VIEW_SIDE

_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_LEAST_SPREAD = 3.0
_PAGES = (Sort.DOCUMENT, Sort.SCREENSHOT)


def see(image: Image.Image, *, frames: int = 1, size: int = 0) -> tuple[look.Look, scores.Scores]:
    """Look at an upright sRGB picture and measure it."""
    image = flat(image)
    full = image.convert("L")
    view = smaller(image, VIEW_SIDE)
    grey = np.asarray(view.convert("L"))
    measured = scores.scores(np.asarray(full), grey, np.asarray(view.convert("RGB")), size)
    page = measured.sort in _PAGES
    preview = _fit(Image.fromarray(grey), look.PAGE_SIDE if page else look.PREVIEW_SIDE)
    seen = look.look(
        image.size, _square(full, hashes.SIDE), _square(full, hashes.LARGE_SIDE), preview, page=page, frames=frames
    )
    return seen, measured


def flat(image: Image.Image) -> Image.Image:
    """Put what is transparent on white; what would then not be seen at all, on black."""
    if image.mode != "RGBA":
        return image
    for ground in (_WHITE, _BLACK):
        laid = Image.new("RGB", image.size, ground)
        laid.paste(image, mask=image.getchannel("A"))
        if float(np.asarray(laid.convert("L").resize((16, 16))).std()) >= _LEAST_SPREAD:
            return laid
    return laid


def _square(grey: Image.Image, side: int) -> look.Preview:
    """Make the square that ImageHash hashes."""
    return np.asarray(grey.resize((side, side), Image.Resampling.LANCZOS))


def _fit(grey: Image.Image, side: int) -> look.Preview:
    scale = side / max(grey.size)
    if scale >= 1:
        return np.asarray(grey)
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    return np.asarray(grey.resize(size, Image.Resampling.BOX, reducing_gap=3.0))


def warm_up() -> None:
    """Do all of it once, so that no child has to load a part of a library."""
    ramp = Image.linear_gradient("L").resize((300, 200))
    see(Image.merge("RGBA", [ramp, ramp.rotate(180), ramp, ramp]), size=1)
