"""What children of the sandbox do with containers. The parent compares what they give; they are not believed."""

from __future__ import annotations

import io
from typing import Any

import imagecodecs
from PIL import Image

from archive.media.child import Work
from archive.media.exact.container import CONTENT, Codec, Segment
from archive.media.exact.packing import NoGain, pack
from archive.media.exact.unpacking import read, unpack
from archive.media.file import MemoryFile


def pack_task(work: Work) -> dict[str, Any]:
    """Give ``content``: a container; or in the result why there is none."""
    with work.blob(CONTENT) as blob:
        try:
            packed = pack(work.file, blob.write)
        except NoGain as reason:  # inside of the blob, which has to end also then
            return {"refused": str(reason)}
    return {"codecs": packed.codecs, "size": packed.size}


def unpack_task(work: Work) -> dict[str, Any]:
    """Give ``content``: what the segments give back that the arguments name, in their order."""
    segments = [
        Segment(Codec(codec), offset, stored, 0, plain, b"") for codec, offset, stored, plain in work.args["segments"]
    ]
    with work.blob(CONTENT) as blob:
        unpack(work.file, segments, blob.write)
    return {}


def warm_up() -> None:
    """Use each codec once, there and back."""
    written = io.BytesIO()
    Image.linear_gradient("L").save(written, "JPEG")
    for plain in (written.getvalue(), b"tagphoto" * 1000):
        container, given = io.BytesIO(), io.BytesIO()
        pack(MemoryFile(plain), container.write)
        found = MemoryFile(container.getvalue())
        unpack(found, read(found).segments, given.write)
        assert given.getvalue() == plain, imagecodecs.version()
