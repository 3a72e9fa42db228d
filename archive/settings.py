"""What the operator configured: read once, from ``TAGPHOTO_*`` and an optional ``tagphoto.toml``, and refused if wrong.

Everything else receives values. The environment wins over the file, the file over the defaults.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from typing_extensions import override

from archive.errors import StartRefused
from storage import check_url

PREFIX = "TAGPHOTO_"
CONFIG_VARIABLE = "TAGPHOTO_CONFIG"
_CHECKOUT = Path(__file__).resolve().parents[1]


def _default_data() -> Path:
    """Keep data beside the checkout whatever folder the command is called from; elsewhere, in the current folder."""
    return (_CHECKOUT if (_CHECKOUT / "run").is_file() else Path.cwd()) / "data"


class Settings(BaseSettings):
    """All settings, each with the sentence ``tagphoto doctor`` and ``docs/operating.md`` show."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    data: Path = Field(
        default_factory=_default_data, description="Folder of the embedded servers, logs and the root key."
    )
    database_url: str | None = Field(
        default=None, description="PostgreSQL, postgresql://…; without it one is embedded."
    )
    redis_url: str | None = Field(default=None, description="Redis or Valkey, redis://…; without it one is embedded.")
    store_url: str | None = Field(
        default=None, description="file:///… or s3://key:secret@host/bucket; default: data/store."
    )
    host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(default=8000, description="Port the API listens on.")
    public_url: str | None = Field(default=None, description="How people reach the service, for links in mails.")
    trusted_proxies: str = Field(default="127.0.0.1", description="Proxies whose X-Forwarded-* headers are believed.")
    mirror_url: str | None = Field(default=None, description="A second store that every object is copied to.")
    root_key_file: Path | None = Field(default=None, description="File of the root keys; default: data/root.key.")
    root_key: SecretStr | None = Field(default=None, description="The lines of the root key file, instead of a file.")
    api_processes: Annotated[int, Field(ge=1, le=64)] = Field(default=1, description="API processes that 'serve' runs.")
    workers: Annotated[int, Field(ge=0, le=64)] = Field(default=2, description="Worker processes that 'serve' runs.")
    smtp_url: str | None = Field(
        default=None, description="smtp://, smtp+starttls:// or smtps://user:password@host:port."
    )
    mail_from: str | None = Field(default=None, description="Sender address of the mails.")
    session_days: Annotated[int, Field(ge=1, le=365)] = Field(default=30, description="Days an unused session lives.")
    max_body: Annotated[int, Field(ge=1024)] = Field(default=1 << 20, description="Largest JSON body, in bytes.")
    max_upload: Annotated[int, Field(ge=1)] = Field(default=1 << 40, description="Largest photo or video, in bytes.")
    uploads_at_once: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=16, description="Transfers that one account may have under way at the same moment."
    )
    upload_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=7, description="Days an unfinished upload is kept after its last byte."
    )
    trash_days: Annotated[int, Field(ge=0, le=3650)] = Field(default=30, description="Days the trash keeps an asset.")
    scrub_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=30, description="Days within which every object is read back and verified."
    )
    scrub_rate: Annotated[int, Field(ge=1 << 16)] = Field(
        default=32 << 20, description="Bytes a second that verifying may read at most."
    )
    backup_url: str | None = Field(default=None, description="Where scheduled backups go: a folder or bucket.")
    backup_hours: Annotated[int, Field(ge=1, le=8760)] = Field(default=24, description="Hours between two backups.")
    backup_keep: Annotated[int, Field(ge=1, le=10000)] = Field(default=14, description="Newest backups that are kept.")
    space: Literal["keep", "exact"] = Field(
        default="exact", description="Policy of libraries that have chosen none: keep or exact."
    )
    former_days: Annotated[int, Field(ge=0, le=3650)] = Field(
        default=7, description="Days a received file stays beside its exact form, at least."
    )
    play: Literal["needed", "all", "never"] = Field(
        default="needed", description="When a film is converted for browsers: needed, all or never."
    )
    play_height: Annotated[int, Field(ge=144, le=4320)] = Field(
        default=1080, description="Shorter side, in pixels, that a converted film has at most."
    )
    log_level: str = Field(default="info", description="debug, info, warning or error.")

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str | None) -> str | None:
        return _checked_url(value, ("postgresql", "postgres"), "postgresql://user:password@host/database")

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        return _checked_url(value, ("redis", "rediss", "unix"), "redis://:password@host:6379/0")

    @field_validator("store_url", "mirror_url", "backup_url")
    @classmethod
    def _store(cls, value: str | None) -> str | None:
        checked = _checked_url(value, ("file", "s3"), "file:///srv/tagphoto or s3://key:secret@host/bucket")
        if checked:
            check_url(checked)
        return checked

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: str | None) -> str | None:
        example = "smtp+starttls://user:password@host:587"
        return _checked_url(value, ("smtp", "smtps", "smtp+starttls"), example, needs_host=True)

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str | None) -> str | None:
        checked = _checked_url(value, ("http", "https"), "https://photos.example.org", needs_host=True)
        return checked.rstrip("/") if checked else None

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: str) -> str:
        for proxy in () if value == "*" else value.split(","):
            try:
                ip_network(proxy.strip())
            except ValueError as error:
                message = f"{error}; write addresses and networks such as 127.0.0.1,10.0.0.0/8 by commas, or '*' alone"
                raise ValueError(message) from error
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        address = parseaddr(value or "")[1]
        # What is not understood is cut off by the parser; such a sender would fail, or surprise, at the first mail.
        whole = value and value.isprintable() and (value == address or value.endswith(f"<{address}>"))
        if value and not (whole and _ADDRESS.fullmatch(address)):
            message = "this is not an address; write photos@example.org or Tagphoto <photos@example.org>"
            raise ValueError(message)
        return value

    @field_validator("log_level")
    @classmethod
    def _level(cls, value: str) -> str:
        if value not in {"debug", "info", "warning", "error"}:
            message = "use debug, info, warning or error"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _mail_is_whole(self) -> Self:
        if self.smtp_url and not self.mail_from:
            message = (
                f"{PREFIX}MAIL_FROM is needed when {PREFIX}SMTP_URL is set: the sender address, "
                "such as photos@example.org"
            )
            raise ValueError(message)
        return self

    @property
    def url(self) -> str:
        """How people reach the service."""
        # Nobody can open the address that means "all of this machine's addresses".
        host = "localhost" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104  # compared, not bound
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def key_file(self) -> Path:
        """Where the root key lies."""
        return self.root_key_file or self.data / "root.key"

    @property
    def given_root_keys(self) -> tuple[str, str] | None:
        """Give the root keys that the environment handed over, and by what: a setting, or systemd's credential."""
        if self.root_key is not None:
            return self.root_key.get_secret_value(), PREFIX + "ROOT_KEY"
        credential = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nowhere"), "tagphoto-root-key")
        if self.root_key_file is None and credential.is_file():
            return credential.read_text(encoding="ascii", errors="replace"), f"the credential {credential}"
        return None

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read explicit values, then the environment, then the file; no .env, which nobody asked for."""
        file = config_file()
        toml = (TomlConfigSettingsSource(settings_cls, file),) if file else ()
        return (init_settings, env_settings, *toml)


def config_file() -> Path | None:
    """Say which ``tagphoto.toml`` applies: the named one, or one here, or one beside the checkout."""
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        path = Path(named)
        if not path.is_file():
            message = f"{CONFIG_VARIABLE} names {named}, which is not a file. Create it or unset the variable."
            raise StartRefused(message)
        return path
    return next((path for path in (Path.cwd() / "tagphoto.toml", _CHECKOUT / "tagphoto.toml") if path.is_file()), None)


def read_settings(**overrides: Any) -> Settings:  # noqa: ANN401  # each is validated by its field
    """Read the settings, or refuse with a line per fault that names the setting and the mend."""
    faults = [*_unknown_variables(os.environ)]
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        faults += [_fault(item["loc"], item["msg"], item.get("input")) for item in error.errors()]
    except (ValueError, OSError) as error:  # TOML that is no TOML, or is not for our eyes
        faults.append(f"{config_file()} cannot be read: {error}. Mend the file or remove it.")
    if faults:
        raise StartRefused("\n".join(faults))
    return settings


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_VARIABLE}
    unknown = sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
    return [f"{name} is not a setting. Remove it, or use one of: {', '.join(sorted(known))}." for name in unknown]


def _fault(location: tuple[int | str, ...], message: str, value: object) -> str:
    text = message.removeprefix("Value error, ")
    if not location:
        return text + "."
    name, file = str(location[0]), config_file()
    if name not in Settings.model_fields:
        known = ", ".join(sorted(Settings.model_fields))
        return f"{name} in {file} is not a setting. Remove the line, or use one of: {known}."
    variable = PREFIX + name.upper()
    place = f"{name} in {file}" if file and not os.environ.get(variable) else variable
    secret = name.endswith("_url") or name == "root_key"  # URLs carry passwords
    shown = "" if secret else f" (it is {value!r})"
    return f"{place}: {text}{shown}."


def _checked_url(value: str | None, schemes: tuple[str, ...], example: str, *, needs_host: bool = False) -> str | None:
    if not value:
        return None
    try:
        parts = urlsplit(value)
        # An '@' behind the host, or two before it, are those of a password with a '/', '#', '?' or '@' in it.
        mixed_up = value.count("@") > 1 or ("@" in value and "@" not in parts.netloc)
        _ = parts.port
    except ValueError:  # a port that is no number, often because the password before it holds a '/'
        parts, mixed_up = urlsplit(""), "@" in value
    if mixed_up:
        message = "a '/', '#', '?' or '@' in a user name or password is written %2F, %23, %3F or %40 in a URL"
        raise ValueError(message)
    if parts.scheme not in schemes or (needs_host and not parts.hostname):
        message = f"this is not a URL that can be used here; write one like {example}"
        raise ValueError(message)
    return value


_ADDRESS = re.compile(r"[^\s@<>,]+@[^\s@<>,]+")
# Up to the last '@', because a password with a '/' in it was not escaped by whoever got the URL wrong.
_PASSWORD = re.compile(r"(?<=://)([^:/?#]*):.*@", re.DOTALL)
_PASSWORD_OPTION = re.compile(r"(?<=[?&])((?:ssl)?password|secret)=[^&]*", re.IGNORECASE)


def masked(url: str) -> str:
    """Show a URL without its password."""
    return _PASSWORD_OPTION.sub(r"\1=…", _PASSWORD.sub(r"\1:…@", url))


@dataclass(frozen=True, slots=True)
class Addresses:
    """The three places everything lives at, configured or embedded."""

    database: str
    redis: str
    store: str
    mirror: str | None = None
