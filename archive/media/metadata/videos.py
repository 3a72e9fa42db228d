"""What a film's container and streams say, as FFmpeg names it."""

from __future__ import annotations

from collections.abc import Mapping

from archive.media.facts import Facts, Position, Probe, Taken
from archive.media.metadata.cameras import camera_name
from archive.media.metadata.dates import parse
from archive.media.metadata.pairing import content_identifier
from archive.media.metadata.positions import from_iso6709, number, sane
from archive.media.metadata.raw import bounded
from archive.media.metadata.texts import clean, first

_APPLE = "com.apple.quicktime."
_ANDROID = "com.android."
_DATES = (
    _APPLE + "creationdate",  # with its zone
    "com.apple.proapps.shootingdate",
    _ANDROID + "creationdate",
    "date-eng",
    "date",  # of cameras that write ©day, and of Matroska
    "date_recorded",
    "creation_time",  # of mvhd: UTC by its definition
)
_PLACES = (_APPLE + "location.iso6709", "location", "location-eng", _ANDROID + "location", "xyz", "©xyz")
_MAKES = (_APPLE + "make", _ANDROID + "manufacturer", "make", "make-eng", "manufacturer", "com.xiaomi.manufacturer")
_MODELS = (_APPLE + "model", _ANDROID + "model", "model", "model-eng", "com.sec.android.model", "device")
_SOFTWARE = (_APPLE + "software", _ANDROID + "version", "software", "encoder", "firmware")
# The cameras that name themselves only in their streams' handlers or encoders.
_HANDLERS = {"gopro": "GoPro", "dji": "DJI", "insta360": "Insta360", "ambarella": "Ambarella"}
_UNSET_YEARS = (1904, 1970)


def from_video_tags(probe: Probe, tags: Mapping[str, object]) -> Facts:
    """Give a film's facts: its probe's, and what its tags say.

    Streams' tags may stand among the container's, which win where both say something.
    """
    known = {str(key).casefold(): found for key, value in tags.items() if (found := clean(_text(value)))}
    make, model = _first(known, _MAKES), _first(known, _MODELS)
    make = make or _handler(known)
    return Facts(
        format=probe.format,
        media_type=probe.media_type,
        kind=probe.kind,
        width=probe.width,
        height=probe.height,
        frames=probe.frames,
        duration_ms=probe.duration_ms,
        taken=_taken(known),
        camera_make=make,
        camera_model=model,
        camera=camera_name(make, model),
        software=_first(known, _SOFTWARE),
        position=_position(known),
        rating=_rating(known),
        title=_first(known, (_APPLE + "title", _APPLE + "displayname", "title")),
        description=_first(known, (_APPLE + "description", "description", "synopsis", _APPLE + "comment", "comment")),
        keywords=tuple(one.strip() for one in known.get(_APPLE + "keywords", "").split(",") if one.strip()),
        creator=_first(known, (_APPLE + "author", _APPLE + "artist", "author", "artist")),
        copyright=_first(known, (_APPLE + "copyright", "copyright")),
        live_id=content_identifier(known.get(_APPLE + "content.identifier", "")),
        raw=bounded({f"Video.{key}": value for key, value in known.items()}),
    )


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None or isinstance(value, (dict, list, tuple)) else str(value)


def _first(known: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return first(*(known.get(name) for name in names))


def _taken(known: Mapping[str, str]) -> Taken | None:
    """Choose the date; a clock in UTC is one whose offset is known to be nothing."""
    for name in _DATES:
        found = parse(known.get(name), "video")
        if found is None or found.local.year in _UNSET_YEARS:
            continue
        if name == "creation_time" and found.offset is None:
            return Taken(found.local, "video", 0, found.subsecond)
        # A bare year or day, as of a song, loses to the moment that follows.
        if ":" in known[name] or "creation_time" not in known:
            return found
    return None


def _position(known: Mapping[str, str]) -> Position | None:
    for name in _PLACES:
        if (written := known.get(name)) and (found := from_iso6709(written)):
            accuracy = number(known.get(_APPLE + "location.accuracy.horizontal"))
            return sane(found.latitude, found.longitude, found.altitude, None, accuracy)
    return None


def _handler(known: Mapping[str, str]) -> str | None:
    for name in ("handler_name", "encoder", "major_brand"):
        for begin, maker in _HANDLERS.items():
            if begin in known.get(name, "").casefold():
                return maker
    return None


def _rating(known: Mapping[str, str]) -> int | None:
    stars = number(known.get(_APPLE + "rating.user") or known.get("rating"))
    return round(stars) if stars is not None and 0 <= stars <= 5 else None  # noqa: PLR2004  # stars
