"""Pictures as models see them: decoded in the sandbox, given as an array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archive.media.limits import MIB
from archive.media.pixels import LONGEST
from archive.media.sandbox import Gathered, Sandbox
from archive.media.source import Source
from archive.media.verdict import Refused, Verdict

_MOST = 64 * MIB


@dataclass(frozen=True, slots=True)
class Seen:
    """Red, green and blue of a picture, and by how much its original is larger."""

    pixels: NDArray[np.uint8]
    scale: float


async def see(sandbox: Sandbox, source: Source, longest: int = LONGEST) -> Seen:
    """Decode a picture. What cannot be decoded is refused with the child's words."""
    blobs = Gathered(most=_MOST)
    result = await sandbox.run("pixels", {"longest": longest}, source, blobs=blobs)
    if result.verdict is not Verdict.OK or result.value is None:
        raise Refused(result.detail or result.verdict.value)
    try:
        width, height = result.value["size"]
        pixels = np.frombuffer(blobs.blobs["pixels"], np.uint8).reshape(height, width, 3)
        return Seen(pixels, max(result.value["original"]) / max(width, height))
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        # Somebody else than our code wrote this: the file has taken its decoder over.
        raise Refused(f"the decoder said nonsense: {error}") from error
