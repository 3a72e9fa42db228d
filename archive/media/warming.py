"""Small pictures of every family, made and read before the zygote forks: what is lazy in libraries happens here."""

from __future__ import annotations

import contextlib
import io

import av
import imagecodecs
import numpy as np
import pillow_heif
import rawpy
from PIL import Image, ImageCms

from archive.media.file import MemoryFile
from archive.media.limits import DEFAULT
from archive.media.pictures import picture
from archive.media.pictures.second import opinions
from archive.media.renditions import render_image
from archive.media.sniff import sniff

_SIDE = 32
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000")


def decode_samples() -> None:
    """Decode a sample of each family by each of its decoders, and fail where the wheel of one is broken."""
    image = Image.linear_gradient("L").resize((_SIDE, _SIDE)).convert("RGB")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    samples = [_saved(image, name, icc_profile=profile) for name in _FORMATS]
    samples.append(_saved(image.convert("CMYK"), "JPEG"))
    samples.append(_saved(image, "JPEG", progressive=True))
    samples.append(_saved(image.convert("I;16"), "TIFF", compression="tiff_lzw"))
    samples.append(bytes(imagecodecs.jpegxl_encode(np.asarray(image), numthreads=1)))
    heif = io.BytesIO()
    pillow_heif.from_pillow(image).save(heif, format="HEIF", quality=50)
    samples.append(heif.getvalue())
    for sample in samples:
        file = MemoryFile(sample)
        found = sniff(file)
        shown = picture(file, found, DEFAULT, fit=_SIDE // 2)
        for second in opinions(found):
            with contextlib.suppress(Exception):  # not every one can read every sample
                second(file, DEFAULT)
        render_image(shown.image, lambda _name, _content: None)
    with contextlib.suppress(rawpy.LibRawError):
        rawpy.imread(io.BytesIO(samples[0]))
    with contextlib.suppress(av.FFmpegError):
        av.open(MemoryFile(samples[0][:100]))


def _saved(image: Image.Image, name: str, **options: bool | int | str | bytes) -> bytes:
    written = io.BytesIO()
    image.save(written, name, **options)
    return written.getvalue()
