"""C2SP chunked encryption, version 1, instance Cobblestone-256: https://c2sp.org/chunked-encryption. No I/O.

    salt (24) | commitment (32) | chunk 0 | chunk 1 | … | the last chunk

A chunk is up to 16 KiB under AES-256-GCM. The last one always holds less, so the length is authenticated too.

Sealing is the library's. Opening is ours, by the offsets of the specification: the library opens from beginning to end
only, and a film is watched from its middle.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Iterator

from cryptography.cobblestone import Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from storage.base import StoreError

KEY_BYTES = 32
CHUNK_BYTES = 16384
HEADER_BYTES = 56

_SALT, _NONCE, _COMMITMENT, _TAG = 24, 12, 32, 16
SEALED_CHUNK_BYTES = CHUNK_BYTES + _TAG
# Above it, counters would reach into the part of the nonce that the security analysis takes for random.
_MOST_CHUNKS = 1 << 38
_LABEL = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"


class SealBroken(StoreError):
    """The bytes are not those that were sealed here."""


def sealed_size(size: int) -> int:
    """Say how many bytes so many become."""
    if size < 0:
        message = f"no size: {size}"
        raise ValueError(message)
    whole, rest = divmod(size, CHUNK_BYTES)
    return HEADER_BYTES + whole * SEALED_CHUNK_BYTES + rest + _TAG


def opened_size(sealed: int) -> int:
    """Say how many bytes so many sealed ones hold; every size has only one."""
    if sealed < HEADER_BYTES:
        raise SealBroken("the header is cut off")
    return _opened(sealed - HEADER_BYTES, last=True)


class Scratch(threading.local):
    """Memory of a thread's own to work in. New memory for every MiB costs about half as much as decrypting it."""

    def __init__(self, size: int) -> None:
        self._memory = memoryview(bytearray(size))

    def room(self, size: int) -> memoryview:
        """Give so much of it, until the thread asks again."""
        return self._memory[:size] if size <= len(self._memory) else memoryview(bytearray(size))


# A MiB from anywhere touches one chunk more than it has.
_scratch = Scratch((1 << 20) + CHUNK_BYTES)


class Sealer:
    """Seals one object, from its beginning to its end, under a salt of its own."""

    def __init__(self, key: bytes, context: bytes) -> None:
        self._encryptor = Cobblestone256Encryptor(key, context)

    def update(self, data: bytes | memoryview) -> bytes:
        """Give what can be sealed by now: whole chunks, before the first of them the header."""
        # update_into() would spare an allocation and cost a copy: whoever gets these bytes may keep them.
        return self._encryptor.update(data)

    def finish(self) -> bytes:
        """Give the rest, with the last chunk."""
        return self._encryptor.finalize()


class Opener:
    """Opens chunks of one sealed object, beginning anywhere; any number of threads at once."""

    def __init__(self, key: bytes, context: bytes, header: bytes) -> None:
        """Refuse another key, another context and another object's header, before anything is opened."""
        if len(key) != KEY_BYTES:
            message = f"a key has {KEY_BYTES} bytes"
            raise ValueError(message)
        if len(header) != HEADER_BYTES:
            raise SealBroken("the header is cut off")
        salt, commitment = header[:_SALT], header[_SALT:]
        derived = HKDFExpand(SHA512(), KEY_BYTES + _NONCE + _COMMITMENT, _LABEL + salt + context).derive(key)
        if not hmac.compare_digest(derived[KEY_BYTES + _NONCE :], commitment):
            raise SealBroken("it was not sealed with this key and context")
        self._cipher = AESGCM(derived[:KEY_BYTES])
        self._nonce = int.from_bytes(derived[KEY_BYTES : KEY_BYTES + _NONCE], "big")

    def open(self, first: int, chunks: bytes | memoryview, *, last: bool) -> bytes:
        """Open consecutive chunks, the first of that number; ``last`` says that they end with the object's last one."""
        size = _opened(len(chunks), last=last)
        if first < 0 or first + len(chunks) // SEALED_CHUNK_BYTES + last > _MOST_CHUNKS:
            message = f"no object has a chunk {first}"
            raise SealBroken(message)
        room = _scratch.room(size)
        for number, sealed, plain in _cut(first, memoryview(chunks), room):
            try:
                self._cipher.decrypt_into((self._nonce ^ number).to_bytes(_NONCE, "big"), sealed, None, plain)
            except InvalidTag:
                message = f"chunk {number} does not open"
                raise SealBroken(message) from None
        return bytes(room)


def _opened(sealed: int, *, last: bool) -> int:
    """Say how many bytes these chunks hold; refuse what is cut within a chunk, and a last chunk that is not short."""
    whole, rest = divmod(sealed, SEALED_CHUNK_BYTES)
    if last and rest < _TAG:
        raise SealBroken("the last chunk is cut off")
    if rest and not last:
        raise SealBroken("it is cut off within a chunk")
    return whole * CHUNK_BYTES + (rest - _TAG if last else 0)


def _cut(first: int, sealed: memoryview, plain: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Go through the chunks: number, sealed bytes, and where their plaintext goes."""
    for index in range(-(-len(sealed) // SEALED_CHUNK_BYTES)):
        begin, there = index * SEALED_CHUNK_BYTES, index * CHUNK_BYTES
        yield first + index, sealed[begin : begin + SEALED_CHUNK_BYTES], plain[there : there + CHUNK_BYTES]
