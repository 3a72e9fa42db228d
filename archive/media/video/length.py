"""How long a film is. Headers lie, so the last packets are asked too, where that costs little."""

from __future__ import annotations

from fractions import Fraction

import av

from archive.media.video.film import Film

_LONGEST_MS = 7 * 24 * 3600 * 1000
_TAIL_BYTES = 16 << 20
_TAIL_PACKETS = 5000
_TOLERANCE_MS = 1000


def length_ms(film: Film) -> int | None:
    """Find out how long a film is. Reads elsewhere in the file: nothing can be read on from where it was."""
    claimed = _claimed_ms(film)
    seen = _indexed_ms(film)
    if seen is None:
        seen = _tail_ms(film)
    if seen is None:
        return min(claimed, _LONGEST_MS) if claimed else None
    if claimed and abs(claimed - seen) <= max(_TOLERANCE_MS, seen // 50):
        return claimed
    sounding = _sounding_ms(film)
    if claimed and sounding and abs(claimed - sounding) <= _TOLERANCE_MS and seen <= sounding:
        return claimed  # the sound outlasts the picture
    return min(max(seen, 1), _LONGEST_MS)


def _claimed_ms(film: Film) -> int | None:
    if film.container.duration and film.container.duration > 0:
        return film.container.duration * 1000 // av.time_base
    lengths = [
        int(stream.duration * stream.time_base * 1000)
        for stream in (film.video, film.audio)
        if stream and stream.duration and stream.duration > 0 and stream.time_base
    ]
    return max(lengths, default=None)


def _indexed_ms(film: Film) -> int | None:
    """Read the length from an index that lists every frame: it is in memory already."""
    if "mov" not in film.container.format.name:
        return None
    return _last_entry_ms(film, film.video)


def _sounding_ms(film: Film) -> int | None:
    return _last_entry_ms(film, film.audio) if film.audio and "mov" in film.container.format.name else None


def _last_entry_ms(film: Film, stream: object) -> int | None:
    entries, base = stream.index_entries, stream.time_base  # type: ignore[attr-defined]
    if len(entries) == 0 or not base:
        return None
    first, last = entries[0].timestamp, entries[len(entries) - 1].timestamp
    step = (last - first) / (len(entries) - 1) if len(entries) > 1 else 0
    start = Fraction(stream.start_time or 0) * base - film.start  # type: ignore[attr-defined]
    return int((start + (Fraction(last - first) + Fraction(step)) * base) * 1000)


def _tail_ms(film: Film) -> int | None:
    """Look at the last packets. A file in which one cannot jump is read to its end, if that is near."""
    film.reader.allow(_TAIL_BYTES)
    film.seek(_LONGEST_MS // 1000)
    last: Fraction | None = None
    count = 0
    for count, packet in enumerate(film.packets(film.video)):
        if packet.pts is not None and packet.time_base:
            end = (packet.pts + (packet.duration or 0)) * packet.time_base - film.start
            last = end if last is None else max(last, end)
        if count >= _TAIL_PACKETS:
            break
    if film.reader.exhausted or count >= _TAIL_PACKETS or last is None or last <= 0:
        return None
    return int(last * 1000)
