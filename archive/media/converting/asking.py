"""Conversions as the parent asks for them. The bytes come piece by piece, and are never all held here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from archive.media.converting.conversion import BLOB, LIMITS, Conversion, Converted
from archive.media.sandbox import Progress, Sandbox
from archive.media.source import Source
from archive.media.verdict import Corrupt, LimitExceeded, Refused, Unsupported, Verdict

Take = Callable[[AsyncIterator[bytes]], Awaitable[None]]
_REFUSALS = {kind.verdict: kind for kind in (Unsupported, Corrupt, LimitExceeded)}


async def convert(
    sandbox: Sandbox,
    source: Source,
    wanted: Conversion,
    take: Take,
    *,
    sizes: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> Converted:
    """Convert a picture, or several that lie behind each other into one PDF; ``Refused`` says in words why not.

    ``take`` may have got bytes also where it is refused in the end: whoever takes keeps nothing until this returns.
    """
    taken = False

    async def blobs(name: str, pieces: AsyncIterator[bytes], /) -> None:
        nonlocal taken
        if name == BLOB and not taken:
            taken = True
            await take(pieces)

    args: dict[str, Any] = {"conversion": wanted.to_json()}
    if sizes is not None:
        args["sizes"] = list(sizes)
    result = await sandbox.run("convert", args, source, limits=LIMITS, progress=progress, blobs=blobs)
    if result.verdict is not Verdict.OK or result.value is None:
        raise _REFUSALS.get(result.verdict, Refused)(result.detail or result.verdict.value)
    try:
        value = result.value
        score = None if value["score"] is None else float(value["score"])
        made = Converted(
            int(value["width"]), int(value["height"]), int(value["pages"]), score,
            tuple(map(str, value["lost"])), bool(value["damaged"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        # Somebody else than our code wrote this: the file has taken its decoder over.
        raise Refused(f"the encoder said nonsense: {error}") from error
    if not taken:
        raise Refused("the encoder gave nothing")
    return made
