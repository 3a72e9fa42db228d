"""Lossy copies as the parent asks for them, and their scores as another process measures them again."""

from __future__ import annotations

from typing import Any

from archive.media.lossy.target import BLOB, LIMITS, Squeezed, Target
from archive.media.sandbox import Gathered, Progress, Result, Sandbox
from archive.media.source import Source, memory_source
from archive.media.verdict import Corrupt, LimitExceeded, Refused, Unsupported, Verdict


async def squeeze(sandbox: Sandbox, source: Source, target: Target, *, progress: Progress | None = None) -> Squeezed:
    """Make a copy of a picture that reaches a score; ``Refused`` says in words why there is none."""
    blobs = Gathered(most=LIMITS.output_bytes)
    result = await sandbox.run("squeeze", target.to_json(), source, limits=LIMITS, progress=progress, blobs=blobs)
    value = _value(result)
    try:
        return Squeezed(
            blobs.blobs[BLOB], str(value["media_type"]), target.codec, float(value["setting"]), float(value["score"]),
            int(value["width"]), int(value["height"]), tuple(map(str, value["kept"])),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        # Somebody else than our code wrote this: the file has taken its decoder over.
        raise Refused(f"the encoder said nonsense: {error}") from error


async def rate(sandbox: Sandbox, original: bytes, copy: bytes) -> float:
    """Have a process that did not make a copy score it; ``Refused`` where either cannot be read."""
    with await memory_source(original + copy) as both:
        value = _value(await sandbox.run("rate", {"first": len(original)}, both, limits=LIMITS))
    try:
        return float(value["score"])
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(f"the decoder said nonsense: {error}") from error


_REFUSALS = {kind.verdict: kind for kind in (Unsupported, Corrupt, LimitExceeded)}


def _value(result: Result) -> dict[str, Any]:
    if result.verdict is Verdict.OK and result.value is not None:
        return result.value
    raise _REFUSALS.get(result.verdict, Refused)(result.detail or result.verdict.value)
