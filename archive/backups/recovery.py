"""The recovery code: 160 bits on paper that open the key file in a backup."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import select

from archive import audit
from archive.backups import target as targets
from archive.errors import BackupFailed, Invalid
from archive.models import Installation
from storage.sealed import seal

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.backups.target import Target
    from archive.keyring import Keyring

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH, _GROUP = 32, 4
_PURPOSE, _CONTEXT = "recovery", b"installation"
_LABEL = b"tagphoto/recovery/1"
# What people write for what is printed.
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


async def code(session: AsyncSession, keyring: Keyring) -> str:
    """Give the installation's recovery code, made now if there is none."""
    return (await code_and_whether_new(session, keyring))[0]


async def code_and_whether_new(session: AsyncSession, keyring: Keyring) -> tuple[str, bool]:
    """Give the code, and whether it was made just now and nobody has seen it yet."""
    row = (await session.scalars(select(Installation).with_for_update())).one()
    if row.recovery_sealed is not None:
        return keyring.open(_PURPOSE, _CONTEXT, row.recovery_sealed).decode(), False
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    made = "-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))
    row.recovery_sealed = keyring.seal(_PURPOSE, _CONTEXT, made.encode())
    audit.record(session, "backup.recovery_code_made")
    return made, True


def read(text: str) -> str:
    """Read a code as somebody typed it."""
    letters = text.upper().translate(_MISREAD).strip()
    if len(letters) != _LENGTH or not set(letters) <= set(_LETTERS):
        message = f"This is not a recovery code: it has {_LENGTH} letters and digits, in groups of {_GROUP}."
        raise Invalid(message)
    return letters


async def seal_keys(target: Target, backup_id: str, recovery_code: str, key_file: str) -> None:
    """Seal a key file in a backup."""
    key, body = targets.place(backup_id, targets.KEYS), targets.once(key_file.encode())
    await seal(target.store, key, _derived(recovery_code), _context(backup_id), body)


async def open_keys(target: Target, backup_id: str, recovery_code: str) -> str:
    """Open the key file in a backup."""
    key, secret = targets.place(backup_id, targets.KEYS), _derived(recovery_code)
    try:
        pieces = [piece async for piece in targets.unsealed(target, key, secret, _context(backup_id))]
    except BackupFailed as error:
        message = (
            f"The key file in backup {backup_id} does not open with this recovery code. Check the code; if it is "
            "right, the file is damaged: give the root key file itself with --root-key, or another with --backup."
        )
        raise BackupFailed(message) from error
    return b"".join(pieces).decode("ascii")


def _derived(recovery_code: str) -> bytes:
    # The letters themselves are the input, so that a stranger needs no decoder.
    return HKDF(SHA256(), length=32, salt=None, info=_LABEL).derive(read(recovery_code).encode())


def _context(backup_id: str) -> bytes:
    return _LABEL + backup_id.encode()
