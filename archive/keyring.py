"""The root key: a 0600 file made at first start. Secrets in the database are sealed under keys derived from it.

A purpose names each derived key ("totp", "csrf"), so that no value sealed for one use opens in another.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from archive.errors import StartRefused

_HEADER = "tagphoto-root-key-1"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class Keyring:
    """Derives keys from the root key; the root key itself never leaves."""

    def __init__(self, root: bytes) -> None:
        self._root = root

    def derive(self, purpose: str) -> bytes:
        """Give the key of one purpose."""
        return HKDF(SHA256(), length=_KEY_BYTES, salt=None, info=f"tagphoto/1/{purpose}".encode()).derive(self._root)

    def seal(self, purpose: str, context: bytes, secret: bytes) -> bytes:
        """Encrypt a short secret, bound to its context: it opens only where it was sealed for."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.derive(purpose)).encrypt(nonce, secret, context)

    def open(self, purpose: str, context: bytes, sealed: bytes) -> bytes:
        """Decrypt what ``seal`` made; a changed value or another context raises ``InvalidTag``."""
        if len(sealed) < _NONCE_BYTES:
            raise InvalidTag
        return AESGCM(self.derive(purpose)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)

    def mac(self, purpose: str, message: bytes) -> bytes:
        """Authenticate a message under the key of one purpose."""
        return hmac.digest(self.derive(purpose), message, "sha256")

    @property
    def check(self) -> bytes:
        """Give a value that tells this root key from any other, to be kept in the database."""
        return self.mac("check", b"this is the root key of this installation")


def load(path: Path) -> Keyring:
    """Read the root key, or refuse to start with a line that says what is wrong."""
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError as error:
        message = (
            f"The root key {path} is missing, and this database has data sealed under it. "
            "Restore it from your backup, or set TAGPHOTO_ROOT_KEY_FILE to where it is."
        )
        raise StartRefused(message) from error
    except OSError as error:
        message = f"The root key {path} cannot be read: {error.strerror}. Make it a file that this user may read."
        raise StartRefused(message) from error
    header, _, encoded = text.partition(" ")
    try:
        root = base64.b64decode(encoded, validate=True)
    except ValueError:
        root = b""
    if header != _HEADER or len(root) != _KEY_BYTES:
        message = f"{path} is not a root key file: one line '{_HEADER} <44 characters>'. Restore it from your backup."
        raise StartRefused(message)
    return Keyring(root)


def load_or_create(path: Path) -> Keyring:
    """Read the root key, or make it: for a new database, that has nothing sealed under an earlier one."""
    try:
        path.lstat()
    except FileNotFoundError:
        return create(path)
    except OSError:
        return load(path)  # which says what is wrong
    return load(path)


def create(path: Path) -> Keyring:
    """Make a root key that survives a power cut: written, synced and named in that order, for its owner's eyes only."""
    try:
        return _create(path, os.urandom(_KEY_BYTES))
    except OSError as error:
        message = (
            f"The root key {path} cannot be made: {error.strerror}. "
            "Make its folder writable for this user, or choose another with TAGPHOTO_ROOT_KEY_FILE."
        )
        raise StartRefused(message) from error


def _create(path: Path, root: bytes) -> Keyring:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not named after our process id: in a container that is the same at every start, also at the one after a crash.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(f"{_HEADER} {base64.b64encode(root).decode()}\n".encode())
        file.flush()
        os.fsync(descriptor)
    try:
        os.link(temporary, path)  # unlike rename, never replaces a key that somebody else made meanwhile
    except FileExistsError:
        return load(path)
    finally:
        temporary.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return Keyring(root)
