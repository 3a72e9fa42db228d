"""What sealed bytes are bound to, byte by byte as docs/encryption.md says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from archive.ids import new_id

if TYPE_CHECKING:
    from archive.models import File

_PURPOSES = {"content": 1, "identity": 2}
_KINDS = {"original": 1, "rendition": 2, "exact": 3, "lossy": 4}
_STATES = {"filling": 0, "whole": 1}


def library_key(library_id: UUID, purpose: str, version: int) -> bytes:
    """Bind a library's wrapped key."""
    return b"tagphoto/library-key/1" + library_id.bytes + _u(1, _PURPOSES[purpose]) + _u(4, version)


def file_key(file: File) -> bytes:
    """Bind a file's wrapped key: also to its size and number of objects, once it is whole."""
    size, objects = (file.size, file.objects) if file.state == "whole" else (0, 0)
    return b"".join(
        [
            b"tagphoto/file-key/1",
            Binding.of(file).encoded,
            _u(4, file.key_version),
            _u(1, _STATES[file.state]),
            _u(8, size),
            _u(4, objects),
        ]
    )


@dataclass(frozen=True, slots=True)
class Binding:
    """What every object of a file is bound to."""

    library_id: UUID
    file_id: UUID
    kind: str
    generation: int

    @classmethod
    def of(cls, file: File) -> Binding:
        """Give that of a file."""
        return cls(file.library_id, file.id, file.kind, file.generation)

    @classmethod
    def new(cls, library_id: UUID, kind: str) -> Binding:
        """Give that of a file that is to be."""
        return cls(library_id, new_id(), kind, 1)

    @property
    def encoded(self) -> bytes:
        """Write it."""
        return self.library_id.bytes + self.file_id.bytes + _u(1, _KINDS[self.kind]) + _u(4, self.generation)

    def of_object(self, start: int) -> bytes:
        """Bind an object to its place in the file."""
        return b"tagphoto/object/1" + self.encoded + _u(8, start)


def _u(width: int, number: int) -> bytes:
    return number.to_bytes(width, "big")
