"""The second factor: enrol, confirm, check, turn off; recovery codes for when the phone is gone."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from archive import audit
from archive.accounts import queries, totp
from archive.db import now
from archive.errors import Conflict, SecondFactorFailed
from archive.models import RecoveryCode

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.access import Caller
    from archive.keyring import Keyring
    from archive.models import Account

_PURPOSE = "totp"
_CODES = 10
# No letters that look alike.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs, shown once."""

    secret: str
    uri: str


async def begin(session: AsyncSession, keyring: Keyring, caller: Caller) -> Enrolment:
    """Make a secret. It counts only once a code from it was confirmed."""
    account = await queries.account(session, caller.account_id, lock=True)
    if account.totp_confirmed_at is not None:
        message = "The second factor is already on. Turn it off first to enrol another app."
        raise Conflict(message)
    secret = totp.new_secret()
    account.totp_sealed = keyring.seal(_PURPOSE, account.id.bytes, secret)
    account.totp_last_step = 0
    return Enrolment(totp.written(secret), totp.uri(secret, account.email))


async def confirm(session: AsyncSession, keyring: Keyring, caller: Caller, code: str) -> list[str]:
    """Turn the second factor on, once a code shows that the app has the secret. Gives recovery codes."""
    account = await queries.account(session, caller.account_id, lock=True)
    if account.totp_sealed is None or account.totp_confirmed_at is not None:
        message = "There is no enrolment to confirm. Begin one first."
        raise Conflict(message)
    _accept_code(keyring, account, code)
    account.totp_confirmed_at = now()
    audit.record(session, "second_factor.enabled", caller=caller, target=account.id)
    return await _new_codes(session, account)


async def disable(session: AsyncSession, caller: Caller) -> None:
    """Turn the second factor off."""
    account = await queries.account(session, caller.account_id, lock=True)
    if account.totp_sealed is None:
        return
    await drop(session, account)
    audit.record(session, "second_factor.disabled", caller=caller, target=account.id)


async def drop(session: AsyncSession, account: Account) -> None:
    """Forget an account's second factor and its recovery codes."""
    account.totp_sealed = account.totp_confirmed_at = None
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))


async def renew_codes(session: AsyncSession, caller: Caller) -> list[str]:
    """Replace all recovery codes."""
    account = await queries.account(session, caller.account_id, lock=True)
    if account.totp_confirmed_at is None:
        message = "The second factor is off; recovery codes come with it."
        raise Conflict(message)
    audit.record(session, "second_factor.codes_renewed", caller=caller, target=account.id)
    return await _new_codes(session, account)


async def check(session: AsyncSession, keyring: Keyring, account: Account, given: str) -> str:
    """Accept a code of the app or a recovery code, each only once. Says which it was."""
    plain = given.replace(" ", "").replace("-", "").lower()
    if plain.isascii() and plain.isdecimal():
        _accept_code(keyring, account, plain)
        return "totp"
    statement = select(RecoveryCode).where(
        RecoveryCode.account_id == account.id,
        RecoveryCode.code_hash == _code_hash(account, plain),
        RecoveryCode.used_at.is_(None),
    )
    row = await session.scalar(statement.with_for_update())
    if row is None:
        raise SecondFactorFailed
    row.used_at = now()
    return "recovery_code"


def _accept_code(keyring: Keyring, account: Account, code: str) -> None:
    secret = keyring.open(_PURPOSE, account.id.bytes, account.totp_sealed or b"")
    step = totp.accepted_step(secret, code.replace(" ", ""), account.totp_last_step)
    if step is None:
        raise SecondFactorFailed
    account.totp_last_step = step


async def _new_codes(session: AsyncSession, account: Account) -> list[str]:
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(_CODES)]
    session.add_all(RecoveryCode(account_id=account.id, code_hash=_code_hash(account, code)) for code in codes)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _code_hash(account: Account, code: str) -> bytes:
    return hashlib.sha256(account.id.bytes + code.encode()).digest()
