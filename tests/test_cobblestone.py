"""The format of sealed objects: the published vectors, our own, the library, and an implementation of its own agree."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from storage.base import StoreError
from storage.cobblestone import (
    CHUNK_BYTES,
    HEADER_BYTES,
    KEY_BYTES,
    SEALED_CHUNK_BYTES,
    Opener,
    SealBroken,
    Sealer,
    opened_size,
    sealed_size,
)

ROOT = Path(__file__).resolve().parents[1]
VECTORS = ROOT / "tests" / "vectors"
KEY, CONTEXT = bytes(range(32)), b"what it is bound to"
SIZES = [0, 1, 15, 16, 16383, 16384, 16385, 32767, 32768, 32769, 3 * 16384 + 100]


@cache
def bytes_of(size: int) -> bytes:
    """Bytes that differ everywhere, the same on every machine."""
    return hashlib.shake_256(f"tagphoto vector {size}".encode()).digest(size)


def seal(plain: bytes, key: bytes = KEY, context: bytes = CONTEXT) -> bytes:
    sealer = Sealer(key, context)
    return sealer.update(plain) + sealer.finish()


def open_whole(sealed: bytes, key: bytes = KEY, context: bytes = CONTEXT) -> bytes:
    opened_size(len(sealed))
    return Opener(key, context, sealed[:HEADER_BYTES]).open(0, sealed[HEADER_BYTES:], last=True)


def flipped(sealed: bytes, offset: int, bit: int = 1) -> bytes:
    broken = bytearray(sealed)
    broken[offset] ^= bit
    return bytes(broken)


def derive(key: bytes, context: bytes, salt: bytes) -> tuple[bytes, bytes, bytes]:
    """Derive AES key, base nonce and commitment by the text of RFC 5869, with HMAC alone."""
    info = b"c2sp.org/chunked-encryption@v1+" + b"AEAD_AES_256_GCM" + b"\x00" + salt + context
    first = hmac.digest(key, info + b"\x01", "sha512")
    derived = first + hmac.digest(key, first + info + b"\x02", "sha512")
    return derived[:32], derived[32:44], derived[44:76]


def seal_by_hand(plain: bytes, key: bytes, context: bytes, salt: bytes) -> bytes:
    """Seal by the text of the specification, with other primitives than ours: HMAC, and AES-GCM as a stream."""
    aead_key, base_nonce, commitment = derive(key, context, salt)
    sealed = salt + commitment
    for number in range(len(plain) // 16384 + 1):
        counter = number.to_bytes(12, "big")
        nonce = bytes(left ^ right for left, right in zip(base_nonce, counter, strict=True))
        encryptor = Cipher(algorithms.AES(aead_key), modes.GCM(nonce)).encryptor()
        chunk = plain[number * 16384 : (number + 1) * 16384]
        sealed += encryptor.update(chunk) + encryptor.finalize() + encryptor.tag
    return sealed


# What others published


def published(result: str) -> list[Any]:
    vectors = json.loads((VECTORS / "wycheproof-cobblestone-256.json").read_text())["tests"]
    return [pytest.param(vector, id=vector["comment"]) for vector in vectors if vector["result"] == result]


@pytest.mark.parametrize("vector", published("valid"))
def test_what_others_sealed_is_opened(vector: dict[str, Any]) -> None:
    sealed = zlib.decompress(bytes.fromhex(vector["ct"]))
    key, context = bytes.fromhex(vector["key"]), bytes.fromhex(vector["ctx"])
    plain = open_whole(sealed, key, context)
    assert (len(plain), hashlib.sha512(plain).hexdigest()) == (vector["msgLength"], vector["msgSha512"])
    assert derive(key, context, sealed[:24])[:2] == (
        bytes.fromhex(vector["aeadKey"]),
        bytes.fromhex(vector["baseNonce"]),
    )
    assert seal_by_hand(plain, key, context, sealed[:24]) == sealed
    assert (sealed_size(len(plain)), opened_size(len(sealed))) == (len(sealed), len(plain))


@pytest.mark.parametrize("vector", published("invalid"))
def test_what_others_broke_is_refused(vector: dict[str, Any]) -> None:
    sealed = zlib.decompress(bytes.fromhex(vector["ct"]))
    key, context = bytes.fromhex(vector["key"]), bytes.fromhex(vector["ctx"])
    with pytest.raises((SealBroken, ValueError)) as refused:
        open_whole(sealed, key, context)
    assert isinstance(refused.value, ValueError) == (len(key) != KEY_BYTES)


def chunk_vectors(expected: str) -> list[Any]:
    vectors = json.loads((VECTORS / "chunks-aes-256-gcm.json").read_text())["vectors"]
    return [
        pytest.param(vector, id=vector["name"])
        for vector in vectors
        if vector["expect"] == expected and "aead_key" in vector
    ]


def opener_of(vector: dict[str, Any]) -> Opener:
    """An opener of these vectors' own key and nonce: they are derived in another way than ours."""
    opener = Opener.__new__(Opener)
    opener._cipher = AESGCM(bytes.fromhex(vector["aead_key"]))
    opener._nonce = int(vector["base_nonce"], 16)
    return opener


def chunks_in(vector: dict[str, Any]) -> bytes:
    sealed = base64.b64decode(vector["ciphertext"])
    return (zlib.decompress(sealed) if vector.get("compressed") else sealed)[HEADER_BYTES:]


@pytest.mark.parametrize("vector", chunk_vectors("success"))
def test_chunks_that_others_sealed_are_opened(vector: dict[str, Any]) -> None:
    plain = opener_of(vector).open(0, chunks_in(vector), last=True)
    assert (len(plain), hashlib.sha256(plain).hexdigest()) == (vector["payload_length"], vector["payload_sha256"])


@pytest.mark.parametrize("vector", chunk_vectors("failure"))
def test_chunks_that_others_broke_are_refused(vector: dict[str, Any]) -> None:
    opener, chunks, opened = opener_of(vector), chunks_in(vector), b""
    with pytest.raises(SealBroken):
        opener.open(0, chunks, last=True)
    with pytest.raises(SealBroken):
        for number, offset in enumerate(range(0, len(chunks) + 1, SEALED_CHUNK_BYTES)):
            chunk = chunks[offset : offset + SEALED_CHUNK_BYTES]
            opened += opener.open(number, chunk, last=len(chunk) < SEALED_CHUNK_BYTES)
    if "payload_length" in vector:
        assert (len(opened), hashlib.sha256(opened).hexdigest()) == (vector["payload_length"], vector["payload_sha256"])
    else:
        assert opened == b""


def test_all_published_vectors_are_here() -> None:
    assert (len(published("valid")), len(published("invalid"))) == (8, 19)
    assert (len(chunk_vectors("success")), len(chunk_vectors("failure"))) == (9, 15)


# What this archive sealed before


def frozen() -> list[Any]:
    return [pytest.param(vector, id=vector["file"]) for vector in json.loads((VECTORS / "sealed.json").read_text())]


@pytest.mark.parametrize("vector", frozen())
def test_what_was_sealed_before_is_opened(vector: dict[str, Any]) -> None:
    sealed, plain = (VECTORS / vector["file"]).read_bytes(), bytes_of(vector["size"])
    key, context = bytes.fromhex(vector["key"]), bytes.fromhex(vector["context"])
    assert (len(sealed), blake3(sealed).hexdigest()) == (vector["sealed_size"], vector["blake3"])
    assert hashlib.sha256(plain).hexdigest() == vector["sha256"]
    assert open_whole(sealed, key, context) == plain
    assert seal_by_hand(plain, key, context, sealed[:24]) == sealed


@pytest.mark.parametrize("vector", frozen())
def test_a_stranger_opens_it_with_the_decoder_of_the_documents(vector: dict[str, Any], tmp_path: Path) -> None:
    # Copied out of the tree and started without it, so that it cannot lean on us.
    decoder = tmp_path / "decoder.py"
    decoder.write_bytes((ROOT / "docs" / "decoder.py").read_bytes())

    def decode(sealed: bytes, context: str) -> subprocess.CompletedProcess[bytes]:
        file = tmp_path / "sealed"
        file.write_bytes(sealed)
        argv = [sys.executable, "-I", str(decoder), vector["key"], context, str(file)]
        return subprocess.run(argv, cwd=tmp_path, capture_output=True, check=False)

    sealed = (VECTORS / vector["file"]).read_bytes()
    done = decode(sealed, vector["context"])
    assert (done.returncode, done.stdout) == (0, bytes_of(vector["size"])), done.stderr
    if vector["size"] in {1, 16384}:  # a decoder that opens everything would be none
        bad = [(sealed[:-1], vector["context"]), (sealed[:-17], vector["context"]), (sealed, "00"), (b"", "")]
        for cut, context in [*bad, (sealed + b"\0", vector["context"]), (sealed[:-1] + b"\0", vector["context"])]:
            done = decode(cut, context)
            assert done.returncode == 1
            assert bytes_of(vector["size"]).startswith(done.stdout)


def test_the_decoder_is_short() -> None:
    assert len((ROOT / "docs" / "decoder.py").read_text().splitlines()) <= 60


# What we seal


@pytest.mark.parametrize("size", SIZES)
def test_the_library_opens_what_we_seal_and_so_do_we(size: int) -> None:
    sealed = seal(bytes_of(size))
    decryptor = Cobblestone256Decryptor(KEY, CONTEXT)
    assert decryptor.update(sealed) + decryptor.finalize() == bytes_of(size) == open_whole(sealed)
    assert seal_by_hand(bytes_of(size), KEY, CONTEXT, sealed[:24]) == sealed


@given(cuts=st.lists(st.integers(0, 50000), max_size=8), size=st.integers(0, 50000))
def test_how_the_input_is_cut_makes_no_difference(cuts: list[int], size: int) -> None:
    plain = bytes_of(50000)[:size]
    edges = [0, *sorted(min(cut, size) for cut in cuts), size]
    sealer = Sealer(KEY, CONTEXT)
    pieces = [sealer.update(plain[start:end]) for start, end in pairwise(edges)]
    sealed = b"".join(pieces) + sealer.finish()
    assert len(sealed) == sealed_size(size)
    assert sealed == seal_by_hand(plain, KEY, CONTEXT, sealed[:24])


@given(size=st.integers(0, 5 * CHUNK_BYTES), data=st.data())
def test_chunks_open_from_anywhere(size: int, data: st.DataObject) -> None:
    plain = bytes_of(5 * CHUNK_BYTES)[:size]
    sealed = seal(plain)
    opener = Opener(KEY, CONTEXT, sealed[:HEADER_BYTES])
    count = size // CHUNK_BYTES + 1
    first = data.draw(st.integers(0, count - 1))
    stop = data.draw(st.integers(first, count))
    chunks = sealed[HEADER_BYTES + first * SEALED_CHUNK_BYTES : HEADER_BYTES + stop * SEALED_CHUNK_BYTES]
    wanted = plain[first * CHUNK_BYTES : stop * CHUNK_BYTES]
    for given_as in (chunks, memoryview(chunks)):
        assert opener.open(first, given_as, last=stop == count) == wanted


def test_pieces_that_are_kept_stay_as_they_were() -> None:
    sealer = Sealer(KEY, CONTEXT)
    kept = [sealer.update(bytes_of(40000)) for _ in range(50)] + [sealer.finish()]
    assert all(type(piece) is bytes for piece in kept)
    assert open_whole(b"".join(kept)) == bytes_of(40000) * 50
    opener = Opener(KEY, CONTEXT, kept[0][:HEADER_BYTES])
    chunks = b"".join(kept)[HEADER_BYTES:]
    opened = [opener.open(n, chunks[n * SEALED_CHUNK_BYTES :][:SEALED_CHUNK_BYTES], last=False) for n in range(100)]
    assert b"".join(opened) == (bytes_of(40000) * 50)[: 100 * CHUNK_BYTES]


def test_many_threads_share_an_opener() -> None:
    plain = bytes_of(64 * CHUNK_BYTES)
    sealed = seal(plain)
    opener = Opener(KEY, CONTEXT, sealed[:HEADER_BYTES])

    def read(first: int) -> bool:
        chunks = sealed[HEADER_BYTES + first * SEALED_CHUNK_BYTES :][: 8 * SEALED_CHUNK_BYTES]
        return opener.open(first, chunks, last=False) == plain[first * CHUNK_BYTES :][: 8 * CHUNK_BYTES]

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(read, [n % 57 for n in range(1000)]))


def test_every_object_has_a_salt_of_its_own() -> None:
    assert len({seal(b"the same")[:24] for _ in range(1000)}) == 1000


# Sizes


@given(st.integers(0, 1 << 52))
def test_a_size_has_one_sealed_size_and_back(size: int) -> None:
    assert opened_size(sealed_size(size)) == size


def test_sizes_that_nothing_sealed_has_are_refused() -> None:
    possible = {sealed_size(size) for size in range(3 * CHUNK_BYTES)}
    for size in range(HEADER_BYTES + 3 * SEALED_CHUNK_BYTES):
        if size not in possible:
            with pytest.raises(SealBroken):
                opened_size(size)
    with pytest.raises(SealBroken):
        opened_size(-1)
    with pytest.raises(ValueError, match="no size"):
        sealed_size(-1)


# What was changed


@pytest.mark.parametrize("size", [0, 1, 100])
def test_every_flipped_bit_of_a_small_object_is_found(size: int) -> None:
    sealed = seal(bytes_of(size))
    for offset in range(len(sealed)):
        for bit in (0x01, 0x80):
            with pytest.raises(SealBroken):
                open_whole(flipped(sealed, offset, bit))
            assert not library_opens(flipped(sealed, offset, bit))


@pytest.mark.parametrize("size", [0, 1, 100, 16384, 16385])
def test_every_truncation_and_many_extensions_are_found(size: int) -> None:
    sealed = seal(bytes_of(size))
    step = 1 if size < 1000 else 7  # of the long ones, every seventh, and all around the borders
    around = {len(sealed) - n for n in range(1, 40)} | {HEADER_BYTES + SEALED_CHUNK_BYTES + n for n in range(-20, 20)}
    for cut in sorted({*range(0, len(sealed), step), *around}):
        if 0 <= cut < len(sealed):
            with pytest.raises(SealBroken):
                open_whole(sealed[:cut])
    for more in (1, 15, 16, 17, 56, SEALED_CHUNK_BYTES, len(sealed)):
        with pytest.raises(SealBroken):
            open_whole(sealed + bytes(more))
        with pytest.raises(SealBroken):
            open_whole(sealed + (sealed * 9000)[-more:])


def chunks_of(sealed: bytes) -> list[bytes]:
    body = sealed[HEADER_BYTES:]
    return [body[offset : offset + SEALED_CHUNK_BYTES] for offset in range(0, len(body), SEALED_CHUNK_BYTES)]


def test_chunks_swapped_doubled_dropped_and_spliced_are_found() -> None:
    plain = bytes_of(3 * 16384 + 100)
    one, other = seal(plain), seal(plain)
    header, (a, b, c, end) = one[:HEADER_BYTES], chunks_of(one)
    changed = {
        "swapped": [b, a, c, end],
        "doubled": [a, a, b, c, end],
        "doubled in place": [a, a, c, end],
        "dropped first": [b, c, end],
        "dropped middle": [a, c, end],
        "dropped end": [a, b, c],
        "end moved up": [a, b, end],
        "end twice": [a, b, c, end, end],
        "cut to chunks": [a, b],
        "of another object": [a, chunks_of(other)[1], c, end],
        "end of another object": [a, b, c, chunks_of(other)[3]],
    }
    for name, chunks in changed.items():
        with pytest.raises(SealBroken):
            open_whole(header + b"".join(chunks))
        assert not library_opens(header + b"".join(chunks)), name
    with pytest.raises(SealBroken):
        open_whole(other[:HEADER_BYTES] + one[HEADER_BYTES:])
    with pytest.raises(SealBroken):
        open_whole(other[:24] + one[24:])


def library_opens(sealed: bytes) -> bool:
    decryptor = Cobblestone256Decryptor(KEY, CONTEXT)
    try:
        decryptor.update(sealed)
        decryptor.finalize()
    except InvalidTag:
        return False
    return True


def test_a_chunk_opens_in_its_own_place_only() -> None:
    sealed = seal(bytes_of(3 * 16384 + 100))
    opener = Opener(KEY, CONTEXT, sealed[:HEADER_BYTES])
    for number, chunk in enumerate(chunks_of(sealed)):
        for place in [*range(6), 256, 1 << 32, (1 << 38) - 1]:
            if place != number:
                with pytest.raises(SealBroken):
                    opener.open(place, chunk, last=number == 3)


def test_numbers_outside_the_specification_are_refused() -> None:
    sealed = seal(bytes_of(16385))
    opener = Opener(KEY, CONTEXT, sealed[:HEADER_BYTES])
    full, end = chunks_of(sealed)
    for first, chunk in ((-1, full), (1 << 38, full), (-1, end), (1 << 38, end), (1 << 97, full)):
        with pytest.raises(SealBroken, match="no object has a chunk"):
            opener.open(first, chunk, last=chunk is end)


def test_the_last_chunk_is_short_and_others_are_whole() -> None:
    sealed = seal(bytes_of(16385))
    opener = Opener(KEY, CONTEXT, sealed[:HEADER_BYTES])
    full, end = chunks_of(sealed)
    assert opener.open(0, full, last=False) == bytes_of(16385)[:16384]
    for first, chunks, last in ((0, full, True), (1, end, False), (0, full + end, False), (0, full + end[:15], True)):
        with pytest.raises(SealBroken, match="cut off"):
            opener.open(first, chunks, last=last)
    assert opener.open(0, b"", last=False) == b""


@given(bit=st.integers(0, 255))
def test_another_key_opens_nothing(bit: int) -> None:
    with pytest.raises(SealBroken, match="key and context"):
        open_whole(seal(b"x"), flipped(KEY, bit // 8, 1 << bit % 8))


@given(st.binary(max_size=80))
def test_another_context_opens_nothing(context: bytes) -> None:
    if context != CONTEXT:
        with pytest.raises(SealBroken, match="key and context"):
            open_whole(seal(b"x"), KEY, context)


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_keys_of_another_length_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="key"):
        Sealer(bytes(size), b"")
    with pytest.raises(ValueError, match="key"):
        Opener(bytes(size), b"", seal(b"x")[:HEADER_BYTES])


@given(st.binary(max_size=300))
def test_random_bytes_open_nothing(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        open_whole(sealed)


def test_what_is_broken_is_an_error_of_the_store() -> None:
    assert issubclass(SealBroken, StoreError)
    with pytest.raises(SealBroken, match="chunk 1 does not open"):
        open_whole(flipped(seal(bytes_of(16385)), -1))
