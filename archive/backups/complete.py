"""What a backup says of itself, written last, and authenticated under the backup's key."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from archive.backups import target as targets
from archive.errors import BackupFailed
from storage import ObjectMissing

if TYPE_CHECKING:
    from archive.backups.target import Target
    from archive.keyring import Keyring

# The class below has a field named bytes.
Key = bytes
FORMAT = "tagphoto/backup/1"
_PURPOSE = "backup"
RESTORED, READ_BACK = "restored", "read back"


@dataclass(frozen=True, slots=True)
class TableOf:
    """A table in a backup: BLAKE3 of its sealed bytes, and what it holds."""

    name: str
    columns: list[str]
    rows: int
    blake3: str


@dataclass(frozen=True, slots=True)
class Complete:
    """A backup."""

    id: str
    program: str
    revision: str
    root_id: str
    wrapped_key: str
    tables: list[TableOf]
    objects: int
    bytes: int
    new_objects: int = 0
    new_bytes: int = 0
    # What the store did not give whole, and why; and what was purged while the backup was made.
    missing: Mapping[str, str] = field(default_factory=dict)
    purged: list[str] = field(default_factory=list)
    # How the tables were proven.
    verified: str = READ_BACK
    # BLAKE3 of manifest, tombstones and keys.
    blake3: Mapping[str, str] = field(default_factory=dict)
    format: str = FORMAT
    mac: str = ""

    def signed(self, key: Key) -> Complete:
        """Authenticate all of it."""
        return replace(self, mac=self._mac(key))

    def require_signed(self, key: Key) -> None:
        """Refuse one that was changed."""
        if not hmac.compare_digest(self.mac, self._mac(key)):
            message = (
                f"Backup {self.id} was changed: what it says of itself is not what was written. Use an earlier one."
            )
            raise BackupFailed(message)

    def key(self, keyring: Keyring) -> Key:
        """Open the backup's key."""
        try:
            return keyring.open(_PURPOSE, context(self.id), Key.fromhex(self.wrapped_key))
        except (InvalidTag, ValueError) as error:
            held = ", ".join(one.hex() for one in keyring.ids)
            message = (
                f"Backup {self.id} does not open with this root key file, which holds {held}; it was made under "
                f"{self.root_id}. Give the right file with --root-key, or the recovery code with --recovery-code."
            )
            raise BackupFailed(message) from error

    def _mac(self, key: Key) -> str:
        derived = HKDF(SHA256(), length=32, salt=None, info=b"tagphoto/backup-complete/1").derive(key)
        plain = json.dumps(asdict(self) | {"mac": ""}, sort_keys=True, separators=(",", ":"))
        return hmac.digest(derived, plain.encode(), "sha256").hex()


def wrapped(keyring: Keyring, backup_id: str, key: bytes) -> str:
    """Wrap a backup's key under the present root key."""
    return keyring.seal(_PURPOSE, context(backup_id), key).hex()


def context(backup_id: str) -> bytes:
    """Bind a backup's key."""
    return b"tagphoto/backup-key/1" + backup_id.encode()


def table_context(backup_id: str, table: str) -> bytes:
    """Bind a table to its backup and its name."""
    return f"tagphoto/backup/1{backup_id}/{table}".encode()


async def write(target: Target, complete: Complete) -> None:
    """Write it: from now on this is a backup."""
    content = json.dumps(asdict(complete), indent=1, sort_keys=True).encode()
    await targets.write(target, targets.place(complete.id, targets.COMPLETE), content)


async def read(target: Target, backup_id: str) -> Complete:
    """Read it, or say that this is no backup."""
    try:
        written = json.loads(await target.store.read(targets.place(backup_id, targets.COMPLETE)))
        if written["format"] != FORMAT or written["id"] != backup_id:
            raise KeyError("format")
        return _parsed(written)
    except ObjectMissing as error:
        message = f"Backup {backup_id} in {target.name} is incomplete: it was cut off while it was made."
        raise BackupFailed(message) from error
    except (ValueError, KeyError, TypeError) as error:
        message = f"Backup {backup_id} in {target.name} is damaged: its 'complete' cannot be read."
        raise BackupFailed(message) from error


def _parsed(written: dict[str, Any]) -> Complete:
    return Complete(**written | {"tables": [TableOf(**table) for table in written["tables"]]})
