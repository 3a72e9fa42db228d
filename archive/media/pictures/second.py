"""Second opinions: other decoders, which are asked before a file is called broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import av
import imagecodecs
import numpy as np

from archive.media.file import SourceFile
from archive.media.limits import Limits
from archive.media.pictures import arrays, headers, jpeg, pillow
from archive.media.pictures.picture import Decoded
from archive.media.sniff import AVIF, BMP, GIF, J2K, JP2, JPEG, PNG, PSD, TIFF, WEBP, Format
from archive.media.verdict import Corrupt

Second = Callable[[SourceFile, Limits], Decoded]


def opinions(format_: Format) -> tuple[Second, ...]:
    """Give the other decoders of a format, the better first; the last shows what can be read of a damaged file."""
    return _OPINIONS.get(format_.name, ())


def _codec(decode: Callable[[bytes], Any], format_: Format) -> Second:
    def second(file: SourceFile, limits: Limits) -> Decoded:
        found = headers.header(file, format_, limits)
        image = arrays.picture(np.asarray(decode(bytes(file.view()))))
        if image.size != (found.width, found.height):
            raise Corrupt("two decoders see two sizes")
        return Decoded(image, found)

    return second


def _film(format_: Format) -> Second:
    """FFmpeg reads pictures as well."""

    def second(file: SourceFile, limits: Limits) -> Decoded:
        found = headers.header(file, format_, limits)
        file.seek(0)
        with av.open(file, mode="r", options={"threads": "1"}) as container:
            container.streams.video[0].thread_type = "NONE"
            frame = next(container.decode(video=0))
            alpha = any(component.is_alpha for component in frame.format.components)
            image = arrays.picture(frame.to_ndarray(format="rgba" if alpha else "rgb24"))
        return Decoded(image, found)

    return second


def _tolerant(format_: Format) -> Second:
    def second(file: SourceFile, limits: Limits) -> Decoded:
        with pillow.forgiving():
            if format_ == JPEG:
                return jpeg.decode(file, limits, None)
            return pillow.decode(file, format_.name, limits)

    return second


_JPEG = _codec(imagecodecs.jpeg8_decode, JPEG)
_TOLERANT = {one.name: _tolerant(one) for one in (JPEG, PNG, WEBP, GIF, TIFF, BMP, PSD)}
_OPINIONS: dict[str, tuple[Second, ...]] = {
    "jpeg": (_JPEG, _TOLERANT["jpeg"]),
    "png": (_codec(imagecodecs.png_decode, PNG), _film(PNG), _TOLERANT["png"]),
    "apng": (_film(PNG), _TOLERANT["png"]),
    "webp": (_codec(imagecodecs.webp_decode, WEBP), _TOLERANT["webp"]),
    "gif": (_codec(imagecodecs.gif_decode, GIF), _film(GIF), _TOLERANT["gif"]),
    "tiff": (_codec(imagecodecs.tiff_decode, TIFF), _film(TIFF), _TOLERANT["tiff"]),
    "bmp": (_codec(imagecodecs.bmp_decode, BMP), _film(BMP), _TOLERANT["bmp"]),
    "psd": (_film(PSD), _TOLERANT["psd"]),
    "avif": (_codec(imagecodecs.avif_decode, AVIF),),
    "jp2": (_codec(imagecodecs.jpeg2k_decode, JP2), _film(JP2)),
    "j2k": (_codec(imagecodecs.jpeg2k_decode, J2K), _film(J2K)),
}
# Of these, a picture in which there is nothing is no picture: they give one of any file.
FORGIVING: frozenset[Second] = frozenset({_JPEG, *_TOLERANT.values()})
