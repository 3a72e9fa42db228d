#!/usr/bin/env python3
"""Open one sealed object of an archive, with no code of the archive: decoder.py KEY CONTEXT FILE > OPENED.

KEY and CONTEXT are hexadecimal; docs/encryption.md says where they come from. Needs Python 3.11 and the package
cryptography. The format is Cobblestone-256 of https://c2sp.org/chunked-encryption. Whatever is written was
authenticated; but unless this ends with exit code 0, bytes are missing at its end.
"""

import hmac
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

CHUNK = 16384 + 16  # 16 KiB and the tag; only the last chunk is shorter, and it always is


def opened(key: bytes, context: bytes, sealed: BinaryIO) -> Iterator[bytes]:
    """Open chunk after chunk."""
    salt, commitment = sealed.read(24), sealed.read(32)
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + context
    derived = HKDFExpand(SHA512(), 32 + 12 + 32, info).derive(key)
    if len(key) != 32 or not hmac.compare_digest(derived[44:], commitment):  # noqa: PLR2004
        sys.exit("this is not the key and the context that it was sealed with")
    cipher, nonce = AESGCM(derived[:32]), int.from_bytes(derived[32:44], "big")
    number = 0
    while True:
        chunk = sealed.read(CHUNK)
        try:
            yield cipher.decrypt((nonce ^ number).to_bytes(12, "big"), chunk, None)
        except InvalidTag:
            sys.exit(f"chunk {number} is damaged or missing")
        if len(chunk) < CHUNK:
            return
        number += 1


if __name__ == "__main__":
    if len(sys.argv) != 4:  # noqa: PLR2004
        sys.exit(__doc__)
    with Path(sys.argv[3]).open("rb") as file:
        for piece in opened(bytes.fromhex(sys.argv[1]), bytes.fromhex(sys.argv[2]), file):
            sys.stdout.buffer.write(piece)
