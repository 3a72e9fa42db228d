"""What the operator configured: read once, from ``TAGPHOTO_*`` and an optional ``tagphoto.toml``, and refused if wrong.

Everything else receives values. The environment wins over the file, the file over the defaults.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from typing_extensions import override

from archive.errors import StartRefused

PREFIX = "TAGPHOTO_"
CONFIG_VARIABLE = "TAGPHOTO_CONFIG"
_CHECKOUT = Path(__file__).resolve().parents[1]


def _default_data() -> Path:
    """Keep data beside the checkout whatever folder the command is called from; elsewhere, in the current folder."""
    return (_CHECKOUT if (_CHECKOUT / "run").is_file() else Path.cwd()) / "data"


class Settings(BaseSettings):
    """All settings, each with the sentence ``tagphoto doctor`` and ``docs/operating.md`` show."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

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
    root_key_file: Path | None = Field(default=None, description="File of the root key; default: data/root.key.")
    api_processes: Annotated[int, Field(ge=1, le=64)] = Field(default=1, description="API processes that 'serve' runs.")
    workers: Annotated[int, Field(ge=0, le=64)] = Field(default=2, description="Worker processes that 'serve' runs.")
    smtp_url: str | None = Field(
        default=None, description="smtp://, smtp+starttls:// or smtps://user:password@host:port."
    )
    mail_from: str | None = Field(default=None, description="Sender address of the mails.")
    session_days: Annotated[int, Field(ge=1, le=365)] = Field(default=30, description="Days an unused session lives.")
    max_body: Annotated[int, Field(ge=1024)] = Field(default=1 << 20, description="Largest JSON body, in bytes.")
    log_level: str = Field(default="info", description="debug, info, warning or error.")

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str | None) -> str | None:
        return _checked_url(value, ("postgresql", "postgres"), "postgresql://user:password@host/database")

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        return _checked_url(value, ("redis", "rediss", "unix"), "redis://host:6379/0")

    @field_validator("store_url")
    @classmethod
    def _store(cls, value: str | None) -> str | None:
        return _checked_url(value, ("file", "s3"), "file:///srv/tagphoto or s3://key:secret@host/bucket")

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: str | None) -> str | None:
        return _checked_url(value, ("smtp", "smtps", "smtp+starttls"), "smtp+starttls://user:password@host:587")

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str | None) -> str | None:
        checked = _checked_url(value, ("http", "https"), "https://photos.example.org")
        return checked.rstrip("/") if checked else None

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
            message = "mail_from is needed when smtp_url is set: the sender address, such as photos@example.org"
            raise ValueError(message)
        return self

    @property
    def url(self) -> str:
        """How people reach the service."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def key_file(self) -> Path:
        """Where the root key lies."""
        return self.root_key_file or self.data / "root.key"

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
    except ValueError as error:  # TOML that is no TOML
        faults.append(f"{config_file()} cannot be read: {error}. Mend the file or remove it.")
    if faults:
        raise StartRefused("\n".join(faults))
    return settings


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_VARIABLE}
    unknown = sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
    return [f"{name} is not a setting. Remove it, or use one of: {', '.join(sorted(known))}." for name in unknown]


def _fault(location: tuple[int | str, ...], message: str, value: object) -> str:
    if not location:
        return f"Settings: {message.removeprefix('Value error, ')}."
    name = str(location[0])
    if name not in Settings.model_fields:
        return f"{name} in {config_file()} is not a setting. Remove the line; 'tagphoto doctor' lists the settings."
    shown = "" if name.endswith("_url") else f" (it is {value!r})"  # URLs carry passwords
    return f"{PREFIX}{name.upper()}: {message.removeprefix('Value error, ')}{shown}."


def _checked_url(value: str | None, schemes: tuple[str, ...], example: str) -> str | None:
    if not value:
        return None
    try:
        known = urlsplit(value).scheme in schemes
    except ValueError:
        known = False
    if not known:
        message = f"this is not a URL that can be used here; write one like {example}"
        raise ValueError(message)
    return value


def masked(url: str) -> str:
    """Show a URL without its password."""
    password = urlsplit(url).password
    return url.replace(f":{password}@", ":…@") if password else url


@dataclass(frozen=True, slots=True)
class Addresses:
    """The three places everything lives at, configured or embedded."""

    database: str
    redis: str
    store: str
