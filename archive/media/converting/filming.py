"""Films converted, as the parent asks for it. The bytes come piece by piece, and are never all held here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from archive.media.limits import DEFAULT
from archive.media.verdict import Corrupt, LimitExceeded, Refused, Unsupported, Verdict
from archive.media.video.wish import BLOB

if TYPE_CHECKING:
    from archive.media.converting.asking import Take
    from archive.media.sandbox import Progress, Sandbox
    from archive.media.source import Source
    from archive.media.video.wish import FilmWish

_REFUSALS = {kind.verdict: kind for kind in (Unsupported, Corrupt, LimitExceeded)}
# Three hours, the longest that is converted, at some seconds of processor for each of the film.
_SECONDS = 24 * 3600
_LIMITS = replace(DEFAULT, cpu_seconds=_SECONDS, wall_seconds=_SECONDS, output_bytes=1 << 40)


@dataclass(frozen=True, slots=True)
class ConvertedFilm:
    """What was made. Frames that could not be decoded are left out, and counted; sound alone has no size."""

    duration_ms: int
    width: int | None
    height: int | None
    skipped: int


async def convert_film(
    sandbox: Sandbox, source: Source, wish: FilmWish, take: Take, *, progress: Progress | None = None
) -> ConvertedFilm:
    """Convert a film, or a part of it; ``Refused`` says in words why not.

    ``take`` may have got bytes also where it is refused in the end: whoever takes keeps nothing until this returns.
    """

    async def blobs(name: str, pieces: AsyncIterator[bytes], /) -> None:
        if name == BLOB:
            await take(pieces)

    result = await sandbox.run("convert_film", asdict(wish), source, limits=_LIMITS, progress=progress, blobs=blobs)
    if result.verdict is not Verdict.OK or result.value is None:
        raise _REFUSALS.get(result.verdict, Refused)(result.detail or result.verdict.value)
    value = result.value
    try:
        width, height = (int(value[side]) if side in value else None for side in ("width", "height"))
        return ConvertedFilm(int(value["duration_ms"]), width, height, int(value["skipped"]))
    except (KeyError, TypeError, ValueError) as error:
        # Somebody else than our code wrote this: the file has taken its decoder over.
        raise Refused(f"the encoder said nonsense: {error}") from error
