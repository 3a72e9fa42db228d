"""``tagphoto apikey``: make, list and revoke API keys, for scripts."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import click
from sqlalchemy.ext.asyncio import AsyncSession

from api.cli import common
from archive.access import Caller, Scope
from archive.accounts import api_keys
from archive.accounts import service as accounts
from archive.db import now
from archive.models import ApiKey
from archive.settings import Settings


@click.group()
def apikey() -> None:
    """API keys of accounts."""


@apikey.command()
@click.argument("email")
@click.option("--name", default="command line", help="What the key is for.")
@click.option("--scopes", default="read,upload,write", show_default=True, help=f"Of {', '.join(Scope)}; by commas.")
@click.option("--library", type=click.UUID, help="Bind the key to one library.")
@click.option("--days", type=click.IntRange(1, 3650), help="Expire after so many days.")
def create(email: str, name: str, scopes: str, library: UUID | None, days: int | None) -> None:
    """Make a key for an account and print it, this once, as JSON."""
    try:
        wanted = [Scope(scope.strip()) for scope in scopes.split(",")]
    except ValueError as error:
        raise click.BadParameter(f"{error}; use some of {', '.join(Scope)}", param_hint="--scopes") from error

    async def action(settings: Settings) -> None:
        async with common.opened(settings) as runtime, runtime.database.transaction() as session:
            row, key = await api_keys.create(
                session,
                await _owner(session, email),
                name=name,
                scopes=wanted,
                library_id=library,
                expires_at=now() + timedelta(days=days) if days else None,
            )
            result = _shown(row) | {"key": key}
        common.print_json(result)

    common.run(action)


@apikey.command("list")
@click.argument("email")
def list_keys(email: str) -> None:
    """Print an account's keys as JSON, without the keys themselves."""

    async def action(settings: Settings) -> None:
        async with common.opened(settings) as runtime, runtime.database.transaction() as session:
            rows = await api_keys.mine(session, await _owner(session, email))
            common.print_json([_shown(row) for row in rows])

    common.run(action)


@apikey.command()
@click.argument("email")
@click.argument("key_id", type=click.UUID)
def revoke(email: str, key_id: UUID) -> None:
    """Make a key useless at once."""

    async def action(settings: Settings) -> None:
        async with common.opened(settings) as runtime, runtime.database.transaction() as session:
            await api_keys.revoke(session, await _owner(session, email), key_id)
        common.print_json({"revoked": key_id})

    common.run(action)


async def _owner(session: AsyncSession, email: str) -> Caller:
    account = await accounts.find(session, email)
    return Caller(account.id, account.email, account.is_admin, frozenset(Scope), via="command line")


def _shown(row: ApiKey) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "prefix": row.prefix,
        "scopes": row.scopes,
        "library_id": row.library_id,
        "expires_at": row.expires_at,
        "last_used_at": row.last_used_at,
        "created_at": row.created_at,
    }
