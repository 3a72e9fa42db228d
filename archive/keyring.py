"""The root keys: a 0600 file made at first start. Secrets in the database are sealed under keys derived from them.

A purpose names each derived key ("totp", "csrf"), so that no value sealed for one use opens in another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from archive.errors import StartRefused

_HEADER = "tagphoto-root-key-1"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_CHECKED = b"this is the root key of this installation"


class UnknownRoot(KeyError):
    """Something is sealed under a root key that this keyring does not hold."""


class Keyring:
    """Derives keys from root keys; the root keys themselves never leave. The first of them is the present one."""

    def __init__(self, *roots: bytes, reread: Callable[[], Sequence[bytes]] | None = None) -> None:
        self._roots = {root_id(root): root for root in roots}
        self._reread = reread

    @property
    def present(self) -> bytes:
        """Give the id of the key that new things are sealed under."""
        return next(iter(self._roots))

    @property
    def ids(self) -> list[bytes]:
        """Give the ids of all root keys, the present one first."""
        return list(self._roots)

    def derive(self, purpose: str, root: bytes | None = None) -> bytes:
        """Give the key of one purpose, under the present root key or the one with this id."""
        info = f"tagphoto/1/{purpose}".encode()
        return HKDF(SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(self._root(root or self.present))

    def seal(self, purpose: str, context: bytes, secret: bytes) -> bytes:
        """Encrypt a short secret, bound to its context: it opens only where it was sealed for."""
        return wrap(self.derive(purpose), context, secret)

    def open(self, purpose: str, context: bytes, sealed: bytes) -> bytes:
        """Decrypt what ``seal`` made, under whichever root key; a changed value or context raises ``InvalidTag``."""
        for root in self._candidates():
            try:
                return unwrap(self.derive(purpose, root), context, sealed)
            except InvalidTag:
                continue
        raise InvalidTag

    def is_present(self, purpose: str, context: bytes, sealed: bytes) -> bool:
        """Tell what is sealed under the present root key from what a rotation has yet to reach."""
        try:
            unwrap(self.derive(purpose), context, sealed)
        except InvalidTag:
            return False
        return True

    def mac(self, purpose: str, message: bytes, root: bytes | None = None) -> bytes:
        """Authenticate a message under the key of one purpose."""
        return hmac.digest(self.derive(purpose, root), message, "sha256")

    def verify(self, purpose: str, message: bytes, given: bytes) -> bool:
        """Tell whether this is the message's code, under any root key: pages outlive a rotation."""
        return any(hmac.compare_digest(self.mac(purpose, message, root), given) for root in self._candidates())

    @property
    def check(self) -> bytes:
        """Give a value that tells the present root key from any other, to be kept in the database."""
        return self.mac("check", _CHECKED)

    def holds(self, check: bytes) -> bool:
        """Tell whether one of the root keys gave this check value."""
        return self.verify("check", _CHECKED, check)

    def _root(self, wanted: bytes) -> bytes:
        if wanted not in self._roots:
            self._read_again()
        if wanted not in self._roots:
            raise UnknownRoot(wanted.hex())
        return self._roots[wanted]

    def _candidates(self) -> Iterator[bytes]:
        """Give the ids of the keys that something may be under: those we know, then those we did not know yet."""
        known = self.ids
        yield from known
        self._read_again()
        yield from (root for root in self.ids if root not in known)

    def _read_again(self) -> None:
        """Learn of keys that another process put into the file meanwhile.

        Ours stays the present one until a restart: what one process seals must not depend on when it looked.
        """
        if self._reread is not None:
            # A file that is away or being mended just now teaches nothing; what opened before still does.
            with suppress(OSError, ValueError, StartRefused):
                self._roots |= {root_id(root): root for root in self._reread()}


def root_id(root: bytes) -> bytes:
    """Name a root key without telling it."""
    return hashlib.sha256(b"tagphoto/root-key-id/1" + root).digest()[:8]


def wrap(key: bytes, context: bytes, secret: bytes) -> bytes:
    """Encrypt a short secret under a key, bound to its context."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, context)


def unwrap(key: bytes, context: bytes, wrapped: bytes) -> bytes:
    """Decrypt what ``wrap`` made, or raise ``InvalidTag``."""
    if len(wrapped) < _NONCE_BYTES:
        raise InvalidTag
    return AESGCM(key).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], context)


def load(path: Path) -> Keyring:
    """Read the root key, or refuse to start with a line that says what is wrong."""
    try:
        seen = _state(path)
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
    return Keyring(*_parse(text, str(path)), reread=_Rereading(path, seen))


class _Rereading:
    """Reads a key file when it is another than it was: whoever sends wrong codes has us look at it, not read it."""

    def __init__(self, path: Path, seen: tuple[int, ...]) -> None:
        self._path, self._seen = path, seen

    def __call__(self) -> Sequence[bytes]:
        # Looked at before it is read: what changes in between is read again the next time.
        state = _state(self._path)
        if state == self._seen:
            return ()
        text = self._path.read_text(encoding="ascii")
        self._seen = state
        return _parse(text, str(self._path))


def _state(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def given(text: str, where: str) -> Keyring:
    """Read a keyring that was handed over by the environment."""
    return Keyring(*_parse(text, where))


def _parse(text: str, where: str) -> list[bytes]:
    """Read root keys, one a line, the present one first."""
    roots = [_parse_line(line) for line in text.splitlines() if line.strip()]
    if not roots or None in roots:
        message = (
            f"{where} is not a root key file: lines of '{_HEADER} <44 characters>', the present key first. "
            "Restore it from your backup."
        )
        raise StartRefused(message)
    return [root for root in roots if root]


def _parse_line(line: str) -> bytes | None:
    header, _, encoded = line.strip().partition(" ")
    try:
        root = base64.b64decode(encoded, validate=True)
    except ValueError:
        return None
    return root if header == _HEADER and len(root) == _KEY_BYTES else None


def new_line() -> str:
    """Make a root key, as a line of a key file."""
    return _line(os.urandom(_KEY_BYTES))


def _line(root: bytes) -> str:
    return f"{_HEADER} {base64.b64encode(root).decode()}\n"


def lines(keyring: Keyring, ids: Sequence[bytes]) -> str:
    """Write some root keys of a keyring as a key file."""
    return "".join(_line(keyring._root(one)) for one in ids)  # noqa: SLF001  # they leave only as a file


def replace(path: Path, content: str) -> None:
    """Exchange a key file's content, whole or not at all."""
    temporary = _write(path, content)
    temporary.replace(path)
    _sync(path.parent)


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
    temporary = _write(path, _line(root))
    try:
        os.link(temporary, path)  # unlike rename, never replaces a key that somebody else made meanwhile
    except FileExistsError:
        return load(path)
    finally:
        temporary.unlink()
    _sync(path.parent)
    return load(path)


def _write(path: Path, content: str) -> Path:
    """Write beside a file, durably, for its owner's eyes only."""
    # Not named after our process id: in a container that is the same at every start, also at the one after a crash.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    return temporary


def _sync(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
