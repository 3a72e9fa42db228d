"""A line of text laid over a picture."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from archive.media.verdict import Unsupported

_SHARE, _LEAST, _MOST_WIDE = 0.035, 10, 0.9
_LIGHT, _DARK = (255, 255, 255, 190), (0, 0, 0, 130)
_UNKNOWN = "\uffff"


def marked(image: Image.Image, words: str) -> Image.Image:
    """Write words into the lower right corner, light with a dark edge, and no wider than the picture."""
    size = max(_LEAST, round(min(image.size) * _SHARE))
    font = ImageFont.load_default(size)
    _require_letters(font, words)
    wide = font.getlength(words)
    if wide > image.width * _MOST_WIDE:
        size = max(4, int(size * image.width * _MOST_WIDE / wide))
        font = ImageFont.load_default(size)
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    place = (image.width - size // 2, image.height - size // 2)
    edge = max(1, size // 16)
    ImageDraw.Draw(layer).text(place, words, _LIGHT, font, anchor="rd", stroke_width=edge, stroke_fill=_DARK)
    return Image.alpha_composite(image.convert("RGBA"), layer).convert(image.mode)


def _require_letters(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, words: str) -> None:
    nothing = bytes(font.getmask(_UNKNOWN))
    missing = sorted({letter for letter in words if not letter.isspace() and bytes(font.getmask(letter)) == nothing})
    if missing:
        raise Unsupported(f"a watermark cannot be written with {' '.join(missing[:8])}: only with Latin letters")
