"""From a file to a picture as it is looked at: oriented, sRGB, eight bits a channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PIL import Image, ImageFile

from archive.media.file import SourceFile
from archive.media.limits import Limits
from archive.media.pictures import colour, heif, jpeg, jxl, pillow, raw, scaling, second
from archive.media.pictures.picture import Decoded, Header, Memory, refusal, unknown
from archive.media.sniff import HEIC, HEIF, JPEG, JXL, RAWS, Format, MediaKind
from archive.media.verdict import LimitExceeded, Unsupported

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture ready to be looked at, perhaps smaller than the original, and what the original is."""

    image: Image.Image
    header: Header
    damaged: bool


def picture(
    file: SourceFile, format_: Format, limits: Limits, *, fit: int | None = None, memory: Memory | None = None
) -> Picture:
    """Decode a picture. ``fit`` is the longer side that is enough; with it the picture is made no larger."""
    if format_.kind is not MediaKind.PHOTO:
        message = f"{format_.name} is no picture"
        raise Unsupported(message)
    decoded = _decoded(file, format_, limits, fit, memory)
    image = colour.plain(decoded.image)
    if fit:
        image = smaller(image, fit)
    image = colour.to_srgb(image, decoded.profile)
    return Picture(_upright(image, decoded.header), decoded.header, decoded.damaged)


def _upright(image: Image.Image, head: Header) -> Image.Image:
    turn = _TURNS.get(head.orientation)
    if turn is not None:
        return image.transpose(turn)
    if isinstance(image, ImageFile.ImageFile):
        return image.copy()  # which no longer knows of a file: saving it would ask for the present folder
    return image


@dataclass(frozen=True, slots=True)
class Original:
    """A picture at its full size, upright, in its own colours: eight bits a channel and, where they are not sRGB, their
    profile.
    """

    image: Image.Image
    header: Header
    profile: bytes | None
    damaged: bool


def own_colours(file: SourceFile, format_: Format, limits: Limits, *, memory: Memory | None = None) -> Original:
    """Decode a picture for a copy that keeps its colours. Grey becomes RGB; only other spaces become sRGB."""
    if format_.kind is not MediaKind.PHOTO:
        message = f"{format_.name} is no picture"
        raise Unsupported(message)
    decoded = _decoded(file, format_, limits, None, memory)
    image, profile = colour.plain(decoded.image), decoded.profile
    if image.mode not in ("RGB", "RGBA") or not colour.is_wide(profile):
        image, profile = colour.to_srgb(image, profile), None
    image = _upright(image, decoded.header)
    return Original(image.convert("RGB") if image.mode == "L" else image, decoded.header, profile, decoded.damaged)


def srgb(original: Original) -> Original:
    """Bring an original to the colours that every screen shows."""
    if original.profile is None:
        return original
    return replace(original, image=colour.to_srgb(original.image, original.profile), profile=None)


def within(image: Image.Image, most_pixels: int | None) -> Image.Image:
    """Make a picture have no more pixels than this, in its own proportions."""
    if most_pixels is None or image.width * image.height <= most_pixels:
        return image
    scale = (most_pixels / (image.width * image.height)) ** 0.5
    return scaling.scaled(image, (max(1, int(image.width * scale)), max(1, int(image.height * scale))))


def smaller(image: Image.Image, fit: int, short: int | None = None) -> Image.Image:
    """Make a picture fit into a square, and its shorter side no longer than ``short``; it never gets larger."""
    scale = fit / max(image.size)
    if short:
        scale = min(scale, short / min(image.size))
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return scaling.scaled(image, size)


def _decoded(file: SourceFile, format_: Format, limits: Limits, fit: int | None, memory: Memory | None) -> Decoded:
    first = _first(format_, fit)
    try:
        return first(file, limits)
    except (Unsupported, LimitExceeded, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - decoders throw whatever they like
        failed = error
    # It may be that there was no memory: many decoders then say that the file is broken. So the same again with more.
    if memory:
        memory.widen()
    strange = unknown(failed)
    for other in (first, *second.opinions(format_)):
        decoded = _tried(other, file, limits)
        if memory and memory.exceeded():
            raise LimitExceeded("it needs more memory than it may have")
        if decoded and (other not in second.FORGIVING or _shows_something(decoded.image)):
            decoded.damaged = other is not first and not strange
            return decoded
    raise refusal(failed, format_.name)


def _tried(decode: second.Second, file: SourceFile, limits: Limits) -> Decoded | None:
    try:
        return decode(file, limits)
    except (LimitExceeded, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - as above
        return None


def _shows_something(image: Image.Image) -> bool:
    """Whether there is more than one colour: decoders that forgive everything give an empty picture of anything."""
    extremes = image.getextrema()
    channels = extremes if isinstance(extremes[0], tuple) else (extremes,)
    return any(low != high for low, high in channels)


def _first(format_: Format, fit: int | None) -> Callable[[SourceFile, Limits], Decoded]:
    if format_ == JPEG:
        return lambda file, limits: jpeg.decode(file, limits, fit)
    if format_ in (HEIC, HEIF):
        return heif.decode
    if format_ == JXL:
        return jxl.decode
    if format_ in RAWS:
        return lambda file, limits: raw.decode(file, limits, fit)
    return lambda file, limits: pillow.decode(file, format_.name, limits)
