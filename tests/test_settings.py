"""Settings: where they come from, and what is said about wrong ones."""

from __future__ import annotations

import socket
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from archive.errors import StartRefused
from archive.mail import Mailer
from archive.settings import Settings, masked, read_settings

SECRET = "hush-hush"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str, name: str = "tagphoto.toml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def refusal() -> str:
    with pytest.raises(StartRefused) as raised:
        read_settings()
    assert SECRET not in raised.value.message
    return raised.value.message


# Where they come from


def test_without_anything_everything_is_embedded_on_this_machine_only() -> None:
    settings = read_settings()
    assert (settings.database_url, settings.redis_url, settings.store_url) == (None, None, None)
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.key_file == settings.data / "root.key"


def test_a_checkout_keeps_its_data_beside_itself_whatever_the_current_folder_is() -> None:
    assert read_settings().data == Path(__file__).resolve().parents[1] / "data"


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, 'port = 9001\nhost = "10.0.0.1"\n')
    monkeypatch.setenv("TAGPHOTO_PORT", "9002")
    settings = read_settings()
    assert (settings.port, settings.host, settings.workers) == (9002, "10.0.0.1", 2)
    assert read_settings(port=9003).port == 9003


def test_an_empty_variable_counts_as_unset(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Compose files pass on what is not set as an empty text.
    write(folder, "port = 9001\n")
    for name in Settings.model_fields:
        monkeypatch.setenv("TAGPHOTO_" + name.upper(), "")
    monkeypatch.setenv("TAGPHOTO_CONFIG", "")
    assert read_settings().port == 9001


def test_a_named_file_is_read_instead_of_the_one_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "port = 9001\n")
    monkeypatch.setenv("TAGPHOTO_CONFIG", str(write(folder, "port = 9002\n", "other.toml")))
    assert read_settings().port == 9002


def test_a_dot_env_file_is_nobodys_business(folder: Path) -> None:
    write(folder, "TAGPHOTO_PORT=9001\n", ".env")
    assert read_settings().port == 8000


@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "0.0.0.0"}, "http://localhost:8000"),
        ({"host": "::", "port": 80}, "http://localhost:80"),
        ({"host": "::1"}, "http://[::1]:8000"),
        ({"public_url": "https://photos.example.org/"}, "https://photos.example.org"),
    ],
)
def test_the_links_of_the_service_can_be_opened(values: dict[str, object], url: str) -> None:
    assert read_settings(**values).url == url


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://user:p%40ss%2Fword@host:5432/db?sslmode=require"),
        ("DATABASE_URL", "postgresql:///db?host=/var/run/postgresql"),
        ("DATABASE_URL", "postgres://host1,host2/db"),
        ("REDIS_URL", "rediss://:secret@host:6380/1"),
        ("REDIS_URL", "unix:///run/redis.sock"),
        ("STORE_URL", "s3://key:se%2Fcret@host:9000/bucket/prefix?tls=false"),
        ("STORE_URL", "file:///srv/photos"),
        ("PUBLIC_URL", "https://[::1]:8443"),
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8,::1, fd00::/8"),
        ("MAIL_FROM", "photos@example.org"),
        ("MAIL_FROM", "Tagphoto <photos@example.org>"),
        ("MAIL_FROM", '"Фото, все" <photos@example.org>'),
    ],
)
def test_a_value_that_works_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("TAGPHOTO_" + name, value)
    assert getattr(read_settings(), name.lower()) == value


# What is said about wrong ones


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("DATABASE_URL", f"mysql://user:{SECRET}@host/db", "postgresql://user:password@host/database"),
        ("DATABASE_URL", f"postgresql://user:{SECRET}/1@host/db", "%2F"),
        ("DATABASE_URL", f"postgresql://user:12/{SECRET}@host/db", "%2F"),
        ("DATABASE_URL", f"postgresql://user:a@{SECRET}@host/db", "%40"),
        ("DATABASE_URL", f"postgresql://user:{SECRET}#@host/db", "%23"),
        ("DATABASE_URL", f"host=db password={SECRET}", "postgresql://"),
        ("DATABASE_URL", f"postgresql://user:{SECRET}@host:70000/db", "%2F"),
        ("DATABASE_URL", f"postgresql://user:[{SECRET}@host/db", "%2F"),
        ("REDIS_URL", f"http://:{SECRET}@host", "redis://"),
        ("REDIS_URL", "localhost:6379", "redis://"),
        ("STORE_URL", f"ftp://key:{SECRET}@host/bucket", "s3://key:secret@host/bucket"),
        ("STORE_URL", f"s3://key:{SECRET}@host", "s3://key:secret@host/bucket"),
        ("STORE_URL", f"s3://key:{SECRET}@host/bucket?ttl=false", "tls=false"),
        ("STORE_URL", "file://srv/photos", "file:///srv/tagphoto"),
        ("STORE_URL", "memory:", "file:///srv/tagphoto"),
        ("STORE_URL", "/srv/photos", "file:///srv/tagphoto"),
        ("SMTP_URL", f"http://user:{SECRET}@host", "smtp+starttls://"),
        ("SMTP_URL", "smtp://", "smtp+starttls://"),
        ("PUBLIC_URL", "photos.example.org", "https://photos.example.org"),
        ("PUBLIC_URL", "https://", "https://photos.example.org"),
        ("PORT", "65536", "less than or equal to 65535"),
        ("PORT", "-1", "greater than or equal to 0"),
        ("PORT", "http", "integer"),
        ("API_PROCESSES", "0", "greater than or equal to 1"),
        ("WORKERS", "65", "less than or equal to 64"),
        ("SESSION_DAYS", "0", "greater than or equal to 1"),
        ("MAX_BODY", "10", "greater than or equal to 1024"),
        ("LOG_LEVEL", "loud", "debug, info, warning or error"),
        ("TRUSTED_PROXIES", "10.0.0.300, nonsense", "10.0.0.0/8"),
        ("TRUSTED_PROXIES", "127.0.0.1,", "'*' alone"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "host bits set"),
        ("TRUSTED_PROXIES", "127.0.0.1,*", "'*' alone"),
        ("MAIL_FROM", "not an address", "photos@example.org"),
        ("MAIL_FROM", "photos@", "photos@example.org"),
        ("MAIL_FROM", "our photos@example.org", "photos@example.org"),
        ("MAIL_FROM", "a@example.org, b@example.org", "photos@example.org"),
        ("MAIL_FROM", "Photos <photos>", "photos@example.org"),
        ("MAIL_FROM", "photos@example.org\nBcc: all@example.org", "photos@example.org"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_its_mend(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, mend: str
) -> None:
    monkeypatch.setenv("TAGPHOTO_" + name, value)
    said = refusal()
    assert said.startswith(f"TAGPHOTO_{name}: ")
    assert mend in said
    assert "\n" not in said
    assert "Value error" not in said


def test_an_unknown_variable_is_refused_and_the_known_ones_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGPHOTO_DATABSE_URL", f"postgresql://user:{SECRET}@host/db")
    said = refusal()
    assert said.startswith("TAGPHOTO_DATABSE_URL is not a setting. Remove it, or use one of: ")
    for name in ("TAGPHOTO_DATABASE_URL", "TAGPHOTO_CONFIG"):
        assert name in said


def test_a_wrong_value_in_the_file_is_refused_with_the_files_name(folder: Path) -> None:
    file = write(folder, 'port = "eighty"\n')
    assert refusal().startswith(f"port in {file}: ")


@pytest.mark.parametrize("text", [f'databse_url = "{SECRET}"', f'[server]\nport = 1\nkey = "{SECRET}"'])
def test_an_unknown_key_of_the_file_is_refused(folder: Path, text: str) -> None:
    file = write(folder, text)
    said = refusal()
    assert f"in {file} is not a setting" in said
    assert "database_url" in said


@pytest.mark.parametrize("text", ["port = ", "= 3", "port = 1\nport = 2", f'smtp_url = "{SECRET}'])
def test_a_file_that_is_no_toml_is_refused(folder: Path, text: str) -> None:
    file = write(folder, text)
    said = refusal()
    assert said.startswith(f"{file} cannot be read: ")
    assert "line" in said or "at end of document" in said
    assert "Mend the file or remove it." in said


def test_a_file_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "tagphoto.toml").write_bytes(b'host = "\xff\xfe"')
    assert "tagphoto.toml cannot be read: " in refusal()


@pytest.mark.parametrize("named", ["nowhere.toml", "."])
def test_a_named_file_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("TAGPHOTO_CONFIG", named)
    assert refusal() == f"TAGPHOTO_CONFIG names {named}, which is not a file. Create it or unset the variable."


def test_mail_without_a_sender_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGPHOTO_SMTP_URL", f"smtp://user:{SECRET}@host")
    said = refusal()
    assert said.startswith("TAGPHOTO_MAIL_FROM is needed when TAGPHOTO_SMTP_URL is set")
    monkeypatch.setenv("TAGPHOTO_MAIL_FROM", "photos@example.org")
    assert read_settings().mail_from == "photos@example.org"


class _Inbox:
    """A real SMTP server's mailbox."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, Message]] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's
        self.mails.append((envelope.mail_from, message_from_bytes(envelope.content)))
        return "250 OK"


async def test_mail_of_a_sender_with_a_name_has_an_id_of_the_senders_domain() -> None:
    inbox = _Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    mailer = Mailer(f"smtp://127.0.0.1:{port}", "Tagphoto <photos@example.org>")
    await mailer.send("anna@example.org", "Subject", "Text")
    controller.stop()
    ((sender, mail),) = inbox.mails
    assert sender == "photos@example.org"
    assert mail["From"] == "Tagphoto <photos@example.org>"
    assert mail["Message-ID"].endswith("@example.org>")
    assert mail["Message-ID"].count(">") == 1


def test_all_faults_are_named_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "colour = 1\n")
    monkeypatch.setenv("TAGPHOTO_PORT", "x")
    monkeypatch.setenv("TAGPHOTO_NONSENSE", "x")
    faults = refusal().splitlines()
    assert len(faults) == 3
    assert {fault.split()[0].rstrip(":") for fault in faults} == {"colour", "TAGPHOTO_PORT", "TAGPHOTO_NONSENSE"}


# Showing them


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://user:hush-hush@host:5432/db", "postgresql://user:…@host:5432/db"),
        ("postgresql://user@host/db", "postgresql://user@host/db"),
        ("postgresql://host:5432/db", "postgresql://host:5432/db"),
        ("redis://:hush-hush@host", "redis://:…@host"),
        ("s3://key:a/hush-hush@host/bucket", "s3://key:…@host/bucket"),
        ("smtp://user:a@hush-hush@host:587", "smtp://user:…@host:587"),
        ("smtp://user:[hush-hush@host:587", "smtp://user:…@host:587"),
        ("postgresql:///db?host=/run&password=hush-hush&sslmode=require", "postgresql:///db?host=/run&password=…&sslmode=require"),
        ("redis://host?Password=hush-hush", "redis://host?Password=…"),
        ("file:///srv/photos", "file:///srv/photos"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_masked_url_shows_everything_but_the_password(url: str, shown: str) -> None:
    assert masked(url) == shown
    assert SECRET not in masked(url)


# Root keys that the environment hands over


def test_root_keys_come_from_a_setting_or_a_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().given_root_keys is None
    (tmp_path / "tagphoto-root-key").write_text("from systemd")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_settings().given_root_keys == ("from systemd", f"the credential {tmp_path / 'tagphoto-root-key'}")
    # What somebody wrote down counts for more than what lies there.
    assert read_settings(root_key_file=tmp_path / "own.key").given_root_keys is None
    monkeypatch.setenv("TAGPHOTO_ROOT_KEY", "from the environment")
    assert read_settings().given_root_keys == ("from the environment", "TAGPHOTO_ROOT_KEY")
    assert "from the environment" not in repr(read_settings())
