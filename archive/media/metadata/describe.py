"""Reading a file's metadata: its packets found, read, and put together into facts."""

from __future__ import annotations

from typing import Any

from archive.media.facts import Facts, Motion, Probe
from archive.media.metadata import boxes, chunks, iptc, jpeg
from archive.media.metadata.cameras import camera_name, lens_name, make_and_model, serial
from archive.media.metadata.dates import taken
from archive.media.metadata.exif import Exif
from archive.media.metadata.exposures import exposure
from archive.media.metadata.motion import motion
from archive.media.metadata.packets import WHOLE_BYTES, Packets
from archive.media.metadata.pairing import image_number, live_id, shot_key
from archive.media.metadata.people import people
from archive.media.metadata.positions import position
from archive.media.metadata.raw import bounded
from archive.media.metadata.reading import Reader, Seekable
from archive.media.metadata.texts import first
from archive.media.metadata.videos import from_video_tags
from archive.media.metadata.words import words
from archive.media.metadata.xmp import Value, parse, text

_READERS = {b"\xff\xd8": jpeg.packets, b"\x89PNG": chunks.png, b"RIFF": chunks.webp}
# How what exiv2 reads whole begins: TIFF and the RAW formats like it, Fujifilm, Canon's older one, Minolta, Photoshop.
_WHOLE = (
    *(b"II*\0", b"MM\0*", b"II\x55\0", b"IIRO", b"IIRS", b"MMOR"),
    *(b"FUJIFILM", b"II\x1a\0\0\0HEAPCCDR", b"\0MRM", b"8BPS"),
)
_SIDECAR = Probe("xmp", "application/rdf+xml", "sidecar")
_TURNED = range(5, 9)  # the orientations that swap width and height


def read(file: Seekable, probe: Probe) -> Facts:
    """Read what a file says of itself. Whatever is broken in it makes the answer shorter, and never an exception."""
    if probe.kind == "video":
        return from_video_tags(probe, probe.tags)
    reader = Reader(file)
    found = packets_of(reader)
    exif = Exif(found.exif)
    xmp: dict[str, Value] = {}
    for packet in (*found.xmp, exif.xmp):
        xmp = parse(packet) | xmp  # the first packet says the most
    datasets = iptc.parse(found.iptc or exif.blob("Exif.Image.IPTCNAA"))
    film = motion(reader, xmp, found.films) if probe.kind == "photo" else None
    return _facts(probe, exif, xmp, datasets, film)


def read_sidecar(packet: bytes) -> Facts:
    """Read a sidecar; what is broken in it makes the answer shorter."""
    return of_xmp(_SIDECAR, packet)


def of_xmp(probe: Probe, packet: bytes) -> Facts:
    """Give the facts that a packet of XMP says by itself."""
    return _facts(probe, Exif(), parse(packet), {}, None)


def packets_of(reader: Reader) -> Packets:
    """Collect the packets of a file, whatever its format."""
    head = reader.at(0, 16)
    for begin, read_packets in _READERS.items():
        if head.startswith(begin):
            return read_packets(reader)
    if head[4:8] in (b"ftyp", b"JXL "):
        found = boxes.packets(reader)
        if head[8:12] == b"crx ":
            found.exif = boxes.canon(reader)
        return found
    if head.startswith(_WHOLE) and reader.size <= WHOLE_BYTES:
        return Packets(exif=reader.at(0, reader.size))
    return Packets()


def _facts(
    probe: Probe,
    exif: Exif,
    xmp: dict[str, Value],
    datasets: dict[str, list[str]],
    film: Motion | None,
) -> Facts:
    make, model = make_and_model(exif, xmp)
    when, number, said = taken(exif, xmp, datasets), serial(exif, xmp), words(exif, xmp, datasets)
    orientation = _orientation(exif, xmp)
    swapped = orientation in _TURNED and not probe.oriented
    return Facts(
        format=probe.format,
        media_type=probe.media_type,
        kind=probe.kind,
        width=probe.height if swapped else probe.width,
        height=probe.width if swapped else probe.height,
        frames=probe.frames,
        duration_ms=probe.duration_ms,
        orientation=orientation,
        taken=when,
        camera_make=make,
        camera_model=model,
        camera=camera_name(make, model),
        camera_serial=number,
        lens=lens_name(exif, xmp),
        software=first(exif.text("Exif.Image.Software"), text(xmp.get("xmp:CreatorTool"))),
        exposure=exposure(exif, xmp),
        position=position(exif, xmp),
        rating=said.rating,
        title=said.title,
        description=said.description,
        keywords=said.keywords,
        creator=said.creator,
        copyright=said.copyright,
        people=people(xmp, orientation),
        image_number=image_number(exif),
        live_id=live_id(exif),
        shot_key=shot_key(exif, when, number),
        motion=film,
        raw=_raw(exif, xmp, datasets),
    )


def _orientation(exif: Exif, xmp: dict[str, Value]) -> int:
    found = exif.number("Exif.Image.Orientation")
    if found is None:
        written = text(xmp.get("tiff:Orientation")) or ""
        found = float(written) if written in set("12345678") else 1.0
    return int(found) if found in range(1, 9) else 1


def _raw(exif: Exif, xmp: dict[str, Value], datasets: dict[str, list[str]]) -> dict[str, Any]:
    tags: dict[str, Any] = exif.raw()
    tags |= {"Iptc." + name: values for name, values in datasets.items()}
    tags |= {"Xmp." + name.replace(":", ".", 1): value for name, value in xmp.items()}
    return bounded(tags)
