"""The command line: what it prints for scripts, and what it says to people who got something wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import click
import pytest
from click.testing import CliRunner
from sqlalchemy.exc import DBAPIError

from api.cli import commands, told
from archive import log, schema
from archive.errors import TagphotoError
from archive.settings import Addresses
from tests.support.cluster import Cluster
from tests.support.service import answer, processes, refusal, tagphoto

PASSWORD = "correct horse battery"
SECRET = "hush-hush"
Run = Callable[..., Awaitable[Any]]


@pytest.fixture
def variables(addresses: Addresses, tmp_path: Path) -> Iterator[dict[str, str | None]]:
    """An installation with a database of its own that runs already."""
    yield {
        "TAGPHOTO_DATA": str(tmp_path / "data"),
        "TAGPHOTO_DATABASE_URL": addresses.database,
        "TAGPHOTO_REDIS_URL": addresses.redis,
        "TAGPHOTO_STORE_URL": (tmp_path / "store").as_uri(),
        "TAGPHOTO_ROOT_KEY_FILE": str(tmp_path / "root.key"),
    }
    log.configure("error")  # the commands had it write to where they wrote to


@pytest.fixture
def run(variables: dict[str, str | None]) -> Run:
    """Runs a command and gives the JSON it prints, or raises what it refuses with."""

    async def run_one(*arguments: str, stdin: str | bytes = "") -> Any:
        # In a thread: a command has an event loop of its own.
        result = await asyncio.to_thread(
            CliRunner().invoke, commands, list(arguments), input=stdin, env=variables, standalone_mode=False
        )
        if result.exception is not None:
            raise result.exception
        return json.loads(result.stdout)

    return run_one


# Accounts


async def test_an_account_is_made_with_a_password_and_listed(run: Run) -> None:
    made = await run(
        *("account", "create", "Anna@Example.org", "--admin", "--name", "Anna A.", "--password-stdin"),
        stdin=PASSWORD + "\r\n",
    )
    assert made["email"] == "Anna@example.org"
    assert (made["name"], made["is_admin"], made["disabled"]) == ("Anna A.", True, False)
    assert "link" not in made
    listed = await run("account", "list")
    assert [account["id"] for account in listed] == [made["id"]]
    assert PASSWORD not in json.dumps([made, listed])


async def test_an_account_without_a_password_comes_with_a_link_to_choose_one(run: Run) -> None:
    made = await run("account", "create", "anna@example.org")
    assert made["link"].startswith("http://127.0.0.1:8000/")
    assert (made["name"], made["is_admin"]) == ("anna", False)


@pytest.mark.parametrize("email", ["", "anna", "anna@", "@example.org", "a b@example.org", "anna@example.org\n"])
async def test_a_wrong_address_is_refused(run: Run, email: str) -> None:
    with pytest.raises(TagphotoError, match="not an e-mail address"):
        await run("account", "create", email)
    assert await run("account", "list") == []


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        ("", "at least 10 characters"),
        ("\n" + PASSWORD, "at least 10 characters"),
        ("short\n", "at least 10 characters"),
        ("aaaaaaaaaaaaaaaa\n", "too easy to guess"),
        ("anna@example.org\n", "too easy to guess"),
        ("x1y2z" * 50, "at most 200 characters"),
        (b"\xff\xfe\xfd\xfc\xfb correct horse\n", "not UTF-8"),
    ],
)
async def test_a_password_that_would_not_hold_is_refused(run: Run, stdin: str | bytes, said: str) -> None:
    with pytest.raises(TagphotoError, match=said):
        await run("account", "create", "anna@example.org", "--password-stdin", stdin=stdin)
    assert await run("account", "list") == []


async def test_an_address_has_one_account(run: Run) -> None:
    await run("account", "create", "anna@example.org")
    with pytest.raises(TagphotoError, match=r"already an account with the address ANNA@example\.org") as raised:
        await run("account", "create", "ANNA@example.org")
    assert "link" not in raised.value.message
    assert len(await run("account", "list")) == 1


async def test_an_account_is_disabled_but_not_the_last_admin(run: Run) -> None:
    await run("account", "create", "admin@example.org", "--admin")
    await run("account", "create", "anna@example.org")
    assert (await run("account", "disable", "anna@example.org"))["disabled"] is True
    assert {a["email"]: a["disabled"] for a in await run("account", "list")} == {
        "admin@example.org": False,
        "anna@example.org": True,
    }
    with pytest.raises(TagphotoError, match="needs an admin"):
        await run("account", "disable", "admin@example.org")
    with pytest.raises(TagphotoError, match=r"no account with the address nobody@example\.org"):
        await run("account", "disable", "nobody@example.org")


# Keys


async def test_a_key_is_made_listed_without_itself_and_revoked(run: Run) -> None:
    account = await run("account", "create", "anna@example.org")
    options = ("--name", "camera", "--scopes", "read, upload", "--days", "30", "--library", account["library_id"])
    made = await run("apikey", "create", "anna@example.org", *options)
    assert made["key"].startswith("tp_")
    assert (made["name"], sorted(made["scopes"])) == ("camera", ["read", "upload"])
    assert made["library_id"] == account["library_id"]
    assert made["expires_at"] is not None
    listed = await run("apikey", "list", "anna@example.org")
    assert [key["id"] for key in listed] == [made["id"]]
    assert made["key"] not in json.dumps(listed)
    assert await run("apikey", "revoke", "anna@example.org", made["id"]) == {"revoked": made["id"]}
    with pytest.raises(TagphotoError):
        await run("apikey", "revoke", "anna@example.org", made["id"])


async def test_a_key_for_nobody_or_for_anothers_library_is_refused(run: Run) -> None:
    await run("account", "create", "anna@example.org")
    boris = await run("account", "create", "boris@example.org")
    for command in (("create",), ("list",)):
        with pytest.raises(TagphotoError, match=r"no account with the address nobody@.*account list"):
            await run("apikey", *command, "nobody@example.org")
    with pytest.raises(TagphotoError):
        await run("apikey", "create", "anna@example.org", "--library", boris["library_id"])
    key = await run("apikey", "create", "boris@example.org")
    with pytest.raises(TagphotoError):
        await run("apikey", "revoke", "anna@example.org", key["id"])
    assert len(await run("apikey", "list", "boris@example.org")) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["apikey", "create", "anna@example.org", "--scopes", "read,everything"], "everything"),
        (["apikey", "create", "anna@example.org", "--scopes", ""], "use some of"),
        (["apikey", "create", "anna@example.org", "--days", "0"], "range"),
        (["apikey", "create", "anna@example.org", "--library", "mine"], "UUID"),
        (["apikey", "revoke", "anna@example.org", "1"], "UUID"),
        (["account", "create"], "EMAIL"),
        (["account", "create", "a@example.org", "--password", "x"], "--password"),
        (["serve", "--port", "65536"], "range"),
        (["work", "--processes", "0"], "range"),
        (["nonsense"], "nonsense"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anything_is_opened(
    run: Run, arguments: list[str], said: str
) -> None:
    with pytest.raises(click.UsageError) as raised:
        await run(*arguments)
    assert said in raised.value.format_message()


# The database


async def test_migrating_says_from_where_to_where(run: Run) -> None:
    assert await run("migrate") == {"before": schema.head(), "now": schema.head()}


async def test_a_migration_waits_until_another_host_is_done_with_its_own(addresses: Addresses) -> None:
    host = await asyncpg.connect(addresses.database)
    assert await host.fetchval("SELECT pg_try_advisory_lock($1)", schema.LOCK)
    waiting = asyncio.create_task(schema.upgrade(addresses.database))
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while not await host.fetchval(waits):
        await asyncio.sleep(0.02)
    assert not waiting.done()
    await host.close()
    await waiting


async def test_only_who_means_to_migrates_a_database_that_others_use(run: Run, addresses: Addresses) -> None:
    connection = await asyncpg.connect(addresses.database)
    await connection.execute("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(TagphotoError, match=r"schema is at 0000, this version needs .* Run 'tagphoto migrate'"):
        await run("account", "list")
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == "0000"
    await connection.close()


async def test_an_empty_database_is_brought_to_this_version_by_any_command(
    run: Run, cluster: Cluster, variables: dict[str, str | None]
) -> None:
    await cluster.execute("CREATE DATABASE empty")
    variables["TAGPHOTO_DATABASE_URL"] = cluster.dsn("empty")
    assert await run("account", "list") == []
    await cluster.execute("DROP DATABASE empty WITH (FORCE)")


@pytest.mark.parametrize("queues", ["nonsense", "default,nonsense", "", ","])
async def test_a_queue_that_is_not_there_is_refused_and_the_queues_are_named(run: Run, queues: str) -> None:
    with pytest.raises(TagphotoError, match=r"no queue .*Use some of: \w+"):
        await run("work", "--queues", queues)


def test_commands_at_once_share_one_embedded_database(tmp_path: Path) -> None:
    # Whichever comes first starts the servers for all and stops them when the last has gone.
    emails = [f"a{number}@example.org" for number in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda email: answer(tmp_path, "account", "create", email), emails))
    assert {account["email"] for account in answer(tmp_path, "account", "list")} == set(emails)
    assert processes(tmp_path) == {}


# The doctor


def findings(printed: str) -> dict[str, str]:
    """What the doctor says about each thing: its state, and its words."""
    lines = [line for line in printed.splitlines() if not line.startswith(" ")]
    return {line[6:20].strip(): line[:5].strip() + " " + line[21:] for line in lines}


def test_the_doctor_finds_a_fresh_folder_well_and_leaves_it_fresh(tmp_path: Path) -> None:
    done = tagphoto(tmp_path / "data", "doctor")
    found = findings(done.stdout)
    about = {"version", "settings", "data", "root key", "database", "redis", "store", "mail", "web client"}
    assert about <= found.keys()
    assert {name for name, text in found.items() if text.startswith("bad")} <= {"web client"}  # a build's business
    assert done.returncode == (1 if "bad " in " ".join(found.values()) else 0)
    assert done.stderr == ""
    assert not (tmp_path / "data").exists()


def test_the_doctor_masks_passwords_and_says_how_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "root.key").touch(mode=0o644)
    (tmp_path / "root.key").chmod(0o644)
    done = tagphoto(
        tmp_path,
        "doctor",
        database_url=f"postgresql://anna:{SECRET}@127.0.0.1:1/photos",
        redis_url=f"redis://:{SECRET}@127.0.0.1:1/0",
        store_url=(tmp_path / "file").as_uri(),
        smtp_url=f"smtp://anna:{SECRET}@mail.example.org",
        mail_from="photos@example.org",
    )
    assert done.returncode == 1
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    found = findings(done.stdout)
    for name in ("database", "redis", "store", "root key"):
        assert found[name].startswith("bad"), done.stdout
    for mend in ("chmod 600", "TAGPHOTO_DATABASE_URL", "TAGPHOTO_REDIS_URL", "TAGPHOTO_STORE_URL"):
        assert mend in done.stdout
    bad = sum(text.startswith("bad") for text in found.values())
    assert done.stdout.count("→") >= bad


def test_the_doctor_notes_mails_whose_links_lead_to_this_machine_only(tmp_path: Path) -> None:
    mail = {"smtp_url": "smtp://mail.example.org", "mail_from": "photos@example.org", "port": "8080"}
    found = findings(tagphoto(tmp_path, "doctor", **mail).stdout)["mail"]
    assert found.startswith("note")
    assert "http://127.0.0.1:8080" in found
    public = tagphoto(tmp_path, "doctor", **mail, public_url="https://photos.example.org").stdout
    assert findings(public)["mail"].startswith("ok")


def test_the_doctor_refuses_wrong_settings_like_every_command(tmp_path: Path) -> None:
    assert "TAGPHOTO_PORT: " in refusal(tagphoto(tmp_path, "doctor", port="none"))


# The form of it all


async def test_what_goes_wrong_is_one_line_and_exit_status_one(
    tmp_path: Path, variables: dict[str, str | None]
) -> None:
    more = {name.removeprefix("TAGPHOTO_").lower(): value for name, value in variables.items() if value}
    del more["data"]
    for arguments in (["account", "create", "anna"], ["apikey", "list", "nobody@example.org"]):
        assert refusal(await asyncio.to_thread(tagphoto, tmp_path, *arguments, **more)).endswith(".")


async def test_a_role_without_rights_is_told_in_one_line_what_the_database_refused(
    tmp_path: Path, cluster: Cluster, addresses: Addresses
) -> None:
    await cluster.execute("CREATE ROLE powerless")
    database, data = addresses.database + "&role=powerless", tmp_path / "data"
    for command in (("migrate",), ("account", "list"), ("serve",)):
        done = await asyncio.to_thread(
            tagphoto, data, *command, database_url=database, redis_url=addresses.redis, port="0"
        )
        assert refusal(done) == "The database refused: permission denied for table alembic_version"
    await cluster.execute("DROP ROLE powerless")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "TimeoutError"),
        (OSError("  "), "OSError"),
        (OSError("two\nlines"), "two"),
        (asyncpg.PostgresError(""), "The database refused: PostgresError"),
        (DBAPIError("SELECT 1", (), Exception("no\nparameters")), "The database refused: no"),
        (DBAPIError("SELECT 1", (), Exception()), "The database refused: Exception"),
    ],
)
def test_an_error_is_never_told_as_nothing_nor_at_length(error: Exception, said: str) -> None:
    assert told(error) == said


def test_a_mistyped_command_line_is_exit_status_two_with_a_hint(tmp_path: Path) -> None:
    done = tagphoto(tmp_path, "acount", "list")
    assert done.returncode == 2
    assert "Try 'tagphoto --help'" in done.stderr
    assert "Traceback" not in done.stderr


def all_commands(group: click.Group = commands, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if not command.hidden:
            yield (*path, name)
        if isinstance(command, click.Group):
            yield from all_commands(command, (*path, name))


@pytest.mark.parametrize("path", [(), *all_commands()], ids=" ".join)
def test_every_command_has_help(path: tuple[str, ...]) -> None:
    for option in ("--help", "-h"):
        result = CliRunner().invoke(commands, [*path, option])
        assert result.exit_code == 0, result.output
        assert result.output.startswith("Usage: ")
        assert "Options:" in result.output


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(commands, ["--version"]).output.startswith("tagphoto, version ")


# What is derived


async def test_rebuild_asks_for_what_there_is(run: Run) -> None:
    assert await run("rebuild", "renditions", "metadata", "--outdated") == {"steps": 0}
    with pytest.raises(TagphotoError, match="no library"):
        await run("rebuild", "video", "--library", "018f3c1e-9a7b-7c4d-8e5f-000000000000")
