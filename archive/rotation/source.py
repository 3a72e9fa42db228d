"""Where the root keys come from: a file of ours, or the environment, which only its owner can change."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from archive import keyring
from archive.errors import Conflict
from archive.keyring import Keyring


@dataclass(frozen=True, slots=True)
class KeySource:
    """A key file, or keys that were given, and by what."""

    file: Path
    given: tuple[str, str] | None

    @property
    def name(self) -> str:
        """Say where the keys are."""
        return self.given[1] if self.given else str(self.file)

    def read(self) -> Keyring:
        """Read the keys as they are now."""
        return keyring.given(*self.given) if self.given else keyring.load(self.file)

    def write(self, content: str) -> None:
        """Exchange the file's content, whole or not at all. Its owner does, or a restart could not read it."""
        path = self.file.resolve()
        try:
            if path.stat().st_uid != os.geteuid():
                message = f"The key file {path} belongs to another user. Run this command as the one who owns it."
                raise Conflict(message)
            keyring.replace(path, content)
        except OSError as error:
            message = (
                f"The key file {path} cannot be written: {error.strerror}. Make it and its folder writable for this "
                "user, or hand the keys over in TAGPHOTO_ROOT_KEY; then call this again."
            )
            raise Conflict(message) from error
