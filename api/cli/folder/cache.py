"""What was seen of files before: a second run is quick, and one that was interrupted goes on where it was."""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click

from api.cli.folder.seen import File, Seen
from archive.media.facts import Facts
from archive.media.looked import Looked, looked
from ml.duplicates.look import VERSION, pack

# Raised when looks or scores of files that have not changed would come out otherwise.
_VERSION = f"{VERSION}.2"
_TABLE = """
CREATE TABLE IF NOT EXISTS seen (
    path TEXT PRIMARY KEY, size INTEGER, changed INTEGER, version TEXT,
    digest BLOB, look BLOB, scores TEXT, facts TEXT, failure TEXT
)
"""


def default_file() -> Path:
    """Say where it is kept when nobody says otherwise: never in the folder that is looked at."""
    return Path(click.get_app_dir("tagphoto")) / "looks.sqlite3"


class Cache:
    """A table of paths. A file that has another size or time is looked at anew."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file, timeout=30)
        try:
            self._database.execute(_TABLE)
        except sqlite3.DatabaseError as error:
            self._database.close()
            message = f"{file} is no cache of looks ({error}). Name another with --cache, or remove it."
            raise click.ClickException(message) from error

    def get(self, file: File) -> Seen | None:
        """Give what was seen of a file, if it is still the same."""
        row = self._database.execute(
            "SELECT digest, look, scores, facts, failure FROM seen"
            " WHERE path = ? AND size = ? AND changed = ? AND version = ?",
            (str(file.path), file.size, file.changed, _VERSION),
        ).fetchone()
        if row is None:
            return None
        # A row that cannot be read is one that is not there.
        with suppress(ValueError, KeyError, TypeError):
            digest, look, scores, facts, failure = row
            found = _looked(look, scores)
            return Seen(file, digest, found, Facts.from_json(json.loads(facts)) if facts else None, failure)
        return None

    def put(self, seen: Seen) -> None:
        """Keep what was seen, at once: whoever is interrupted has it."""
        found = seen.looked
        scores = json.dumps(asdict(found.scores)) if found and found.scores else None
        facts = json.dumps(seen.facts.to_json()) if seen.facts else None
        row: tuple[Any, ...] = (
            str(seen.file.path), seen.file.size, seen.file.changed, _VERSION,
            seen.digest, pack(found.look) if found else None, scores, facts, seen.failure,
        )  # fmt: skip
        with self._database:
            self._database.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()


def _looked(look: bytes | None, scores: str | None) -> Looked | None:
    if look is None:
        return None
    return looked({"scores": json.loads(scores) if scores else None}, {"look": look})
