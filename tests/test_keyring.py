"""The root key: made once, kept to its owner, refused when it is not the right one; and what is sealed under it."""

from __future__ import annotations

import asyncio
import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from archive import ids, installation, keyring
from archive.db import Database, create_engine
from archive.errors import StartRefused
from archive.keyring import Keyring
from archive.settings import Addresses

KEYS = Keyring(bytes(range(32)))


# The file


def test_a_new_key_is_for_its_owner_only_and_opens_again(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "root.key"
    made = keyring.create(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert keyring.load(file).check == made.check
    assert [path.name for path in file.parent.iterdir()] == ["root.key"]


def test_no_two_keys_are_the_same(tmp_path: Path) -> None:
    assert keyring.create(tmp_path / "a").check != keyring.create(tmp_path / "b").check


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "root.key"
    first = keyring.create(file)
    before = file.read_bytes()
    assert keyring.create(file).check == first.check
    assert keyring.load_or_create(file).check == first.check
    assert file.read_bytes() == before


def test_of_several_who_make_it_at_once_all_get_the_same(tmp_path: Path) -> None:
    file = tmp_path / "root.key"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(keyring.create, [file] * 16))
    assert {one.check for one in made} == {keyring.load(file).check}
    assert [path.name for path in tmp_path.iterdir()] == ["root.key"]


def test_a_missing_key_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match=r"root\.key is missing.*backup.*TAGPHOTO_ROOT_KEY_FILE"):
        keyring.load(tmp_path / "root.key")


GOOD = base64.b64encode(bytes(range(32)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"garbage",
        b"\xff\xfe\x00",
        GOOD,
        b"tagphoto-root-key-1",
        b"tagphoto-root-key-1 ",
        b"tagphoto-root-key-2 " + GOOD,
        b"tagphoto-root-key-1 " + base64.b64encode(bytes(31)),
        b"tagphoto-root-key-1 " + base64.b64encode(bytes(33)),
        b"tagphoto-root-key-1 " + GOOD[:-1],
        b"tagphoto-root-key-1 " + GOOD + b" more",
        b"tagphoto-root-key-1 " + GOOD.replace(b"A", b"!"),
    ],
)
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "root.key"
    file.write_bytes(content)
    with pytest.raises(StartRefused, match=r"root\.key is not a root key file.*backup") as raised:
        keyring.load_or_create(file)
    assert GOOD.decode()[:10] not in raised.value.message
    assert file.read_bytes() == content


@pytest.mark.parametrize("content", [b"tagphoto-root-key-1 " + GOOD, b" tagphoto-root-key-1 " + GOOD + b"\r\n\n"])
def test_white_space_that_an_editor_adds_does_no_harm(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "root.key"
    file.write_bytes(content)
    assert keyring.load(file).check == KEYS.check


def test_a_key_that_cannot_be_read_or_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for file in (tmp_path, tmp_path / "file" / "root.key"):  # a folder, and a place where no file can be
        with pytest.raises(StartRefused, match="cannot be"):
            keyring.load_or_create(file)


def test_a_link_to_nowhere_is_a_missing_key_and_no_reason_to_make_one(tmp_path: Path) -> None:
    file = tmp_path / "root.key"
    file.symlink_to(tmp_path / "unmounted" / "root.key")
    with pytest.raises(StartRefused, match="is missing"):
        keyring.load_or_create(file)


# What is sealed


@given(secret=st.binary(max_size=200), context=st.binary(max_size=40))
def test_what_was_sealed_opens(secret: bytes, context: bytes) -> None:
    sealed = KEYS.seal("totp", context, secret)
    assert KEYS.open("totp", context, sealed) == secret
    assert sealed != KEYS.seal("totp", context, secret)


def test_it_opens_for_no_other_purpose_context_or_key() -> None:
    sealed = KEYS.seal("totp", b"anna", b"secret")
    for keys, purpose, context in (
        (KEYS, "csrf", b"anna"),
        (KEYS, "totp", b"boris"),
        (KEYS, "totp", b""),
        (Keyring(bytes(32)), "totp", b"anna"),
    ):
        with pytest.raises(InvalidTag):
            keys.open(purpose, context, sealed)


@given(secret=st.binary(max_size=60), data=st.data())
def test_any_flipped_bit_is_refused(secret: bytes, data: st.DataObject) -> None:
    sealed = bytearray(KEYS.seal("totp", b"anna", secret))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidTag):
        KEYS.open("totp", b"anna", bytes(sealed))


@given(st.integers(0, 40))
def test_a_cut_off_value_is_refused(length: int) -> None:
    sealed = KEYS.seal("totp", b"anna", b"twelve bytes")  # 12 of nonce, 12 of secret, 16 of tag
    assert len(sealed) == 40
    if length < len(sealed):
        with pytest.raises(InvalidTag):
            KEYS.open("totp", b"anna", sealed[:length])


def test_each_purpose_has_a_key_of_its_own_that_stays_the_same() -> None:
    assert KEYS.derive("totp") == Keyring(bytes(range(32))).derive("totp")
    assert len({KEYS.derive("totp"), KEYS.derive("csrf"), KEYS.check}) == 3
    assert KEYS.mac("csrf", b"a") != KEYS.mac("csrf", b"b")
    # Changing how keys are derived would lock every installation out.
    assert KEYS.derive("totp").hex() == "61928a783417ded40512d7d324ed6b04883ae6c90a7a9f3e5770e5621fb6dacf"
    assert KEYS.check.hex() == "a462f5dc269a8325c58252fc16cdd1f0cd38af078917d32639fd5991da3266ed"


# The key and its database


async def prepare(addresses: Addresses, file: Path) -> Keyring:
    database = Database(create_engine(addresses.database, pool_size=1))
    try:
        return await installation.prepare(database, file)
    finally:
        await database.close()


async def test_a_new_database_gets_a_key_and_keeps_it(addresses: Addresses, tmp_path: Path) -> None:
    file = tmp_path / "root.key"
    made = await prepare(addresses, file)
    assert keyring.load(file).check == made.check
    assert (await prepare(addresses, file)).check == made.check


async def test_a_new_database_takes_the_key_that_is_there(addresses: Addresses, tmp_path: Path) -> None:
    file = tmp_path / "root.key"
    there = keyring.create(file)
    assert (await prepare(addresses, file)).check == there.check


async def test_another_key_is_refused(addresses: Addresses, tmp_path: Path) -> None:
    await prepare(addresses, tmp_path / "root.key")
    keyring.create(tmp_path / "other.key")
    with pytest.raises(StartRefused, match=r"other\.key is not the one this database was made with.*backup"):
        await prepare(addresses, tmp_path / "other.key")
    await prepare(addresses, tmp_path / "root.key")


async def test_a_lost_key_is_refused_and_not_made_anew(addresses: Addresses, tmp_path: Path) -> None:
    await prepare(addresses, tmp_path / "root.key")
    lost = tmp_path / "lost.key"
    for _ in range(2):  # had the first refusal made one, the second would say something else
        with pytest.raises(StartRefused, match=r"lost\.key is missing"):
            await prepare(addresses, lost)


async def test_several_hosts_may_start_for_the_first_time_at_once(addresses: Addresses, tmp_path: Path) -> None:
    made = await asyncio.gather(*(prepare(addresses, tmp_path / "root.key") for _ in range(5)))
    assert len({keys.check for keys in made}) == 1


# Identifiers


def test_identifiers_sort_by_the_time_they_were_made_at() -> None:
    made = [ids.new_id() for _ in range(2000)]
    assert len(set(made)) == len(made)
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    times = [one.int >> 80 for one in made]
    assert times == sorted(times)


def test_tokens_are_long_and_stored_as_hashes_only() -> None:
    token = ids.new_token()
    assert len(token) == 43
    assert token != ids.new_token()
    assert len(ids.token_hash(token)) == 32
    assert token.encode() not in ids.token_hash(token)


async def test_keys_from_the_environment_open_what_they_sealed(addresses: Addresses, tmp_path: Path) -> None:
    line = keyring.new_line()
    database = Database(create_engine(addresses.database))
    try:
        first = await installation.prepare(database, tmp_path / "root.key", (line, "TAGPHOTO_ROOT_KEY"))
        assert not (tmp_path / "root.key").exists()
        again = await installation.prepare(database, tmp_path / "root.key", (line, "TAGPHOTO_ROOT_KEY"))
        assert again.check == first.check
        with pytest.raises(StartRefused, match="TAGPHOTO_ROOT_KEY is not the one"):
            await installation.prepare(database, tmp_path / "root.key", (keyring.new_line(), "TAGPHOTO_ROOT_KEY"))
        with pytest.raises(StartRefused, match="is not a root key file"):
            await installation.prepare(database, tmp_path / "root.key", ("nonsense", "TAGPHOTO_ROOT_KEY"))
    finally:
        await database.close()
