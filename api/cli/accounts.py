"""``tagphoto account``: make, list and disable accounts, for scripts."""

from __future__ import annotations

import sys

import click

from api.cli import common
from archive.access import Caller, Scope
from archive.accounts import passwords
from archive.accounts import service as accounts
from archive.errors import AccountExists, Conflict, Invalid
from archive.libraries import service as libraries
from archive.links import service as links
from archive.models import Account
from archive.settings import Settings


@click.group()
def account() -> None:
    """Accounts of this installation."""


@account.command()
@click.argument("email")
@click.option("--admin", is_flag=True, help="Make it an admin.")
@click.option("--name", help="What the person is called; the part before '@' if left out.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create(email: str, name: str | None, *, admin: bool, password_stdin: bool) -> None:
    """Make an account with a library of its own, and print it as JSON.

    Without --password-stdin it has no password yet; the link in the answer lets the person choose one.
    """
    password = _read_password() if password_stdin else None

    async def action(settings: Settings) -> None:
        if password is not None:
            passwords.check_strength(password, email)
        hashed = await passwords.hash_password(password) if password is not None else None
        async with common.opened(settings) as runtime, runtime.database.transaction() as session:
            shown = name or email.partition("@")[0]
            try:
                made = await accounts.create(session, email=email, name=shown, password_hash=hashed, is_admin=admin)
            except AccountExists as error:  # whose own words are for somebody with an invitation
                message = f"There is already an account with the address {email}. 'tagphoto account list' shows it."
                raise Conflict(message) from error
            accounts.record_creation(session, made, by="command line")
            library = await libraries.make_for(session, made.id, shown)
            result = _shown(made) | {"library_id": library.id}
            if hashed is None:
                _, token = await accounts.reset_link(session, None, made.id)
                result["link"] = links.address(runtime.public_url, token)
        common.print_json(result)

    common.run(action)


@account.command("list")
def list_accounts() -> None:
    """Print all accounts as JSON."""

    async def action(settings: Settings) -> None:
        async with common.opened(settings) as runtime, runtime.database.transaction() as session:
            common.print_json([_shown(row) for row in await accounts.page(session, after=None, limit=1_000_000)])

    common.run(action)


@account.command()
@click.argument("email")
def disable(email: str) -> None:
    """Disable an account: it is signed out everywhere and its keys stop working."""

    async def action(settings: Settings) -> None:
        async with common.opened(settings) as runtime, runtime.database.transaction() as session:
            found = await accounts.find(session, email)
            operator = Caller(found.id, found.email, found.is_admin, frozenset(Scope), via="command line")
            common.print_json(_shown(await accounts.administer(session, operator, found.id, disabled=True)))

    common.run(action)


def _read_password() -> str:
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        message = "The password on standard input is not UTF-8 text."
        raise Invalid(message) from error


def _shown(row: Account) -> dict[str, object]:
    return {
        "id": row.id,
        "email": row.email,
        "name": row.name,
        "is_admin": row.is_admin,
        "disabled": row.disabled_at is not None,
        "created_at": row.created_at,
    }
