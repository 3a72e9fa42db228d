"""The task ``look``: all that duplicates and quality need of a file, from one decoding at full size. Runs in the child.

The look comes back as a blob, the scores in the result; ``looked`` reads both in the parent.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from archive.media import films
from archive.media.looked import BLOB
from archive.media.pictures import picture
from archive.media.seeing import see
from archive.media.sniff import MediaKind, sniff
from archive.media.verdict import Unsupported
from ml.duplicates.look import pack

if TYPE_CHECKING:
    from archive.media.child import Work


def look(work: Work) -> dict[str, Any]:
    """Give the blob ``look``, and the scores."""
    found = sniff(work.file)
    if found.kind is MediaKind.VIDEO:
        work.emit(BLOB, pack(films.look(work)))
        return {"scores": None}
    if found.kind is not MediaKind.PHOTO:
        message = f"nothing to see in {found.media_type}"
        raise Unsupported(message)
    shown = picture(work.file, found, work.limits, memory=work.memory)
    seen, measured = see(shown.image, frames=shown.header.frames, size=work.file.size)
    work.emit(BLOB, pack(seen))
    return {"scores": {field.name: getattr(measured, field.name) for field in fields(measured)}}
