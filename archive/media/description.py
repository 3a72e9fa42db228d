"""The task ``describe``: what a file is by its content, and what it says of itself. Runs in the child."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archive.media import films
from archive.media.facts import Facts, Probe
from archive.media.limits import MIB
from archive.media.metadata.describe import read, read_sidecar
from archive.media.pictures import known_header
from archive.media.sniff import Format, MediaKind, sniff
from archive.media.verdict import LimitExceeded, Refused, Unsupported

if TYPE_CHECKING:
    from archive.media.child import Work

_SIDECAR_BYTES = 16 * MIB


def describe(work: Work) -> dict[str, Any]:
    """Give a file's facts, and of a film whether browsers play it."""
    found = sniff(work.file)
    match found.kind:
        case MediaKind.PHOTO:
            return _described(work, _photo(work, found))
        case MediaKind.VIDEO:
            return films.describe(work, found)
        case MediaKind.SIDECAR:
            return _described(work, _sidecar(work))
        case _:
            message = f"{found.media_type} is neither a photo nor a film"
            raise Unsupported(message)


def _photo(work: Work, found: Format) -> Facts:
    probe = Probe(found.name, found.media_type, "photo", oriented=True)
    # What cannot be decoded still says what it is and when it was taken; that it cannot, ``render`` will say.
    with contextlib.suppress(Refused):
        head = known_header(work.file, found, work.limits, work.memory)
        width, height = head.displayed()
        probe = replace(probe, width=width, height=height, frames=head.frames)
    work.file.seek(0)
    return read(work.file, probe)


def _sidecar(work: Work) -> Facts:
    if work.file.size > _SIDECAR_BYTES:
        raise LimitExceeded("a sidecar has some KiB, and this one has more than 16 MiB")
    work.file.seek(0)
    return read_sidecar(work.file.read(_SIDECAR_BYTES))


def _described(work: Work, facts: Facts) -> dict[str, Any]:
    return {"facts": films.dated(facts, work.args.get("name")).to_json()}
