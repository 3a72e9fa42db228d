"""Sealing and opening, a CPU second of one core, beside raw AES-256-GCM of the same library and beside hashing."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.cobblestone import HEADER_BYTES, SEALED_CHUNK_BYTES, Opener, Sealer
from storage.memory import MemoryStore
from storage.sealed import open_range, seal
from tests.bench.figure import Figure

_MIB, _VOLUME, _ROUNDS = 1 << 20, 64, 7
_KEY, _CONTEXT, _NONCE = bytes(range(32)), b"bench", bytes(12)
_PIECE = os.urandom(_MIB)
_RAW = 1 << 16
_Task = Callable[[], object]


class _Nowhere(MemoryStore):
    """Lets go of what is put: the memory it would take is no part of sealing."""

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:  # noqa: ARG002
        return sum([len(piece) async for piece in body])


def measure() -> Iterator[Figure]:
    sealed = _sealed()
    encrypt, decrypt, one = "AESGCM.encrypt_into, 64 KiB", "AESGCM.decrypt_into, 64 KiB", "AESGCM.decrypt, 1 MiB"
    tasks: dict[str, tuple[_Task, str | None]] = {  # and the yardstick of each
        encrypt: (_raw_encrypt, None),
        "Sealer": (_seal, encrypt),
        "seal(), with BLAKE3 of the sealed": (partial(_stored, None), encrypt),
        "SHA-256": (partial(_hash, hashlib.sha256), None),
        "seal(), and SHA-256 of the plaintext": (partial(_stored, hashlib.sha256), "SHA-256"),
        "BLAKE3, one thread": (partial(_hash, blake3), None),
        decrypt: (partial(_raw_decrypt, _RAW), None),
        "Opener": (partial(_open, sealed), decrypt),
        "open_range(), whole": (partial(_read, sealed, whole=True), decrypt),
        one: (partial(_raw_decrypt, _MIB), None),
        "Opener, new for each 1 MiB": (partial(_open_anew, sealed), one),
        "open_range(), 1 MiB from anywhere": (partial(_read, sealed, whole=False), one),
    }
    taken = _timed({name: task for name, (task, _) in tasks.items()})
    for name, (cpu, wall) in taken.items():
        base = tasks[name][1]
        ratio = taken[base][0] / cpu if base else None
        amount, unit = (_VOLUME, "opens/cpu-s") if "1 MiB" in name else (_VOLUME * _MIB / 1e6, "MB/cpu-s")
        yield Figure("sealing", name, amount / cpu, unit, base, ratio, ">= 0.8" if name == "Sealer" else None)
        if "()" in name:
            yield Figure("sealing", f"{name}, wall", amount / wall, unit.replace("cpu-s", "s"))


def _timed(tasks: dict[str, _Task]) -> dict[str, tuple[float, float]]:
    """Time each task in turn, round after round, so that a slow moment falls on all; the best of each counts."""
    best = dict.fromkeys(tasks, (float("inf"), float("inf")))
    for _ in range(_ROUNDS):
        for name, task in tasks.items():
            # Of the process: what threads do counts as well.
            wall, cpu = time.perf_counter(), time.process_time()
            task()
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            best[name] = min(best[name][0], cpu), min(best[name][1], wall)
    return best


def _sealed() -> bytes:
    sealer = Sealer(_KEY, _CONTEXT)
    return b"".join([sealer.update(_PIECE) for _ in range(_VOLUME)]) + sealer.finish()


def _raw_encrypt() -> None:
    cipher, plain, room = AESGCM(_KEY), memoryview(_PIECE), bytearray(_RAW + 16)
    for _ in range(_VOLUME):
        for offset in range(0, _MIB, _RAW):
            cipher.encrypt_into(_NONCE, plain[offset : offset + _RAW], None, room)


def _raw_decrypt(size: int) -> None:
    cipher = AESGCM(_KEY)
    sealed = cipher.encrypt(_NONCE, _PIECE[:size], None)
    room = bytearray(size)
    for _ in range(_VOLUME * _MIB // size):
        if size == _MIB:
            cipher.decrypt(_NONCE, sealed, None)  # a range is given away, so it needs memory of its own
        else:
            cipher.decrypt_into(_NONCE, sealed, None, room)


def _seal() -> None:
    sealer = Sealer(_KEY, _CONTEXT)
    for _ in range(_VOLUME):
        sealer.update(_PIECE)
    sealer.finish()


def _hash(algorithm: Callable[[], hashlib._Hash | blake3]) -> None:
    digest = algorithm()
    for _ in range(_VOLUME):
        digest.update(_PIECE)
    digest.digest()


def _open(sealed: bytes) -> None:
    opener = Opener(_KEY, _CONTEXT, sealed[:HEADER_BYTES])
    chunks = memoryview(sealed)[HEADER_BYTES:]
    run = 64 * SEALED_CHUNK_BYTES
    for number, offset in enumerate(range(0, _VOLUME * run, run)):
        opener.open(64 * number, chunks[offset : offset + run], last=False)


def _open_anew(sealed: bytes) -> None:
    chunks = memoryview(sealed)[HEADER_BYTES:]
    for _ in range(_VOLUME):
        first = random.randrange(64 * (_VOLUME - 2))
        begin = first * SEALED_CHUNK_BYTES
        opener = Opener(_KEY, _CONTEXT, sealed[:HEADER_BYTES])
        opener.open(first, chunks[begin : begin + 65 * SEALED_CHUNK_BYTES], last=False)


def _stored(watch: Callable[[], hashlib._Hash] | None) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(_VOLUME * 16):
            yield _PIECE[:_RAW]  # as a request's body comes

    asyncio.run(seal(_Nowhere(), "a", _KEY, _CONTEXT, body(), watch=watch().update if watch else None))


def _read(sealed: bytes, *, whole: bool) -> None:
    size = _VOLUME * _MIB
    ranges: list[tuple[int, int]] = [(0, size)]
    if not whole:
        ranges = [(random.randrange(size - _MIB), _MIB) for _ in range(_VOLUME)]

    async def read() -> None:
        store = MemoryStore()
        store._objects["a"] = sealed
        for start, length in ranges:
            async for _ in open_range(store, "a", _KEY, _CONTEXT, size, start, length):
                pass

    asyncio.run(read())
