"""A line of characters as one mask, in our own glyphs or in a font of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ml.training.generate.glyphs import FAMILIES, Mask, Style, glyph, varied

# Free fonts of Debian that look like what is pressed into plates and printed on bibs; docs/numbers.md has the packages.
_WANTED = (
    "RG2014", "OSP-DIN", "LiberationSans", "DejaVuSans", "Roboto-", "RobotoCondensed", "B612-", "Mplus1-", "Mplus2-",
    "BebasNeue", "Cantarell", "Lato-", "OpenSans", "LeagueSpartan", "OCRB.", "NimbusSans", "Inter-", "FreeSans",
)  # fmt: skip
_UNWANTED = ("Italic", "Oblique", "Light", "Thin", "Hairline", "Mono", "Book")
_ENOUGH_INK = 0.02
_DRAWN_AT = 80


@dataclass(frozen=True, slots=True)
class Face:
    """What a line is set in: our own style, or a font file."""

    style: Style
    font: str | None = None


@cache
def fonts(folder: Path) -> tuple[str, ...]:
    """Give the free fonts of a folder that numbers are set in; none is needed."""
    found = (file for kind in ("ttf", "otf") for file in folder.rglob(f"*.{kind}"))
    return tuple(sorted(str(file) for file in found if _fits(file.name)))


class _Folder:
    """Where fonts are looked for; a process draws with one."""

    fonts = Path("/usr/share/fonts")


def look_for_fonts_in(folder: Path) -> None:
    """Draw with the fonts of another folder from now on."""
    _Folder.fonts = folder


def _fits(name: str) -> bool:
    return name.startswith(_WANTED) and not any(word in name for word in _UNWANTED)


def chosen_face(family: str, random: np.random.Generator, share_of_fonts: float = 0.4) -> Face:
    """Choose what a line is set in. A style is drawn from chance even for a font, since spacing comes from it."""
    style = varied(family if family in FAMILIES else "sans", random)
    available = fonts(_Folder.fonts)
    if available and random.random() < share_of_fonts:
        return Face(style, available[int(random.integers(len(available)))])
    return Face(style)


def line(
    groups: Sequence[str], face: Face, height: int, gap: float = 0.35, hole: float = 0.0
) -> tuple[Mask, list[int]]:
    """Draw groups of characters beside each other; also give the x in the middle of each gap between groups.

    ``hole`` widens every gap by a share of the height, to leave room for a seal.
    """
    pieces: list[Mask] = []
    holes: list[int] = []
    x = 0
    for place, group in enumerate(groups):
        if place:
            wide = round(height * (gap + hole))
            holes.append(x + wide // 2)
            pieces.append(np.zeros((height, wide), np.uint8))
            x += wide
        drawn = _group(group, face, height)
        pieces.append(drawn)
        x += drawn.shape[1]
    return np.concatenate(pieces, axis=1), holes


def _group(text: str, face: Face, height: int) -> Mask:
    between = np.zeros((height, max(round(face.style.gap * height), 1)), np.uint8)
    pieces: list[Mask] = []
    for character in text:
        drawn = _font_glyph(character, face.font) if face.font else None
        if drawn is not None:
            wide = max(round(drawn.shape[1] * height / _DRAWN_AT), 1)
            drawn = np.asarray(cv2.resize(drawn, (wide, height), interpolation=cv2.INTER_AREA), np.uint8)
        else:
            low = character.isalpha() and face.style.letters < 1
            drawn = glyph(character, face.style, round(height * face.style.letters) if low else height)
            drawn = np.pad(drawn, ((height - drawn.shape[0], 0), (0, 0)))
        pieces += [drawn, between]
    return np.concatenate(pieces[:-1], axis=1)


@lru_cache(10000)
def _font_glyph(character: str, file: str) -> Mask | None:
    """Draw a capital or a digit of a font at one height; none if the font has no ink for it."""
    font = _sized(file)
    box = font.getbbox(character)
    width, tall = int(box[2] - box[0]), int(box[3] - box[1])
    if width < 1 or tall < _DRAWN_AT // 3:
        return None
    picture = Image.new("L", (width, _DRAWN_AT))
    # A capital is as high as H; what hangs below the line, as a Q's tail, is cut as a die would.
    ImageDraw.Draw(picture).text((-box[0], -font.getbbox("H")[1]), character, 255, font)
    mask: Mask = np.asarray(picture)
    return mask if mask.mean() > _ENOUGH_INK * 255 else None


@cache
def _sized(file: str) -> ImageFont.FreeTypeFont:
    trial = ImageFont.truetype(file, 100)
    box = trial.getbbox("H")
    return ImageFont.truetype(file, max(round(100 * _DRAWN_AT / max(box[3] - box[1], 1)), 4))
