"""Which weights are in use: a folder of versions and a history. Only what is better is promoted."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.numbers.errors import NumbersError
from ml.numbers.sessions import WEIGHTS, recorded

_HISTORY = "history.json"


class NotBetter(NumbersError):
    """What was trained reads no better than what is in use."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a set says of weights: the share read right, of how many."""

    right: float
    count: int


class Models:
    """Weights of one installation. Without any of its own, those that come with the project are in use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def current(self) -> Path:
        """Give the folder of the weights in use."""
        history = self.history()
        return self._folder / history[-1]["version"] if history else WEIGHTS

    def history(self) -> list[dict[str, Any]]:
        """Give what was promoted and not rolled back, the latest last."""
        file = self._folder / _HISTORY
        if not file.exists():
            return []
        history: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
        return history

    def promote(self, candidate: Path, new: Judged, old: Judged) -> Path:
        """Use weights from now on, if they read more right than those in use on the same set."""
        if new.count == 0 or new.count != old.count:
            raise NotBetter("both must be judged on the same pictures, and on some")
        if new.right <= old.right:
            raise NotBetter(
                f"it reads {new.right:.2%} of {new.count} right, what is in use {old.right:.2%}: nothing was changed"
            )
        version = str(recorded(candidate, 1).record["version"])
        target = self._folder / version
        if not target.exists():
            partial = self._folder / f"{version}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(candidate, partial)
            partial.replace(target)
        self._write(
            [*self.history(), {"version": version, "right": new.right, "before": old.right, "count": new.count}]
        )
        return target

    def roll_back(self) -> Path:
        """Go back to what was in use before; its files stay."""
        history = self.history()
        if not history:
            raise NumbersError("nothing was promoted, so there is nothing to go back from")
        self._write(history[:-1])
        return self.current()

    def _write(self, history: list[dict[str, Any]]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f"{_HISTORY}.partial"
        partial.write_text(json.dumps(history, indent=1) + "\n", "utf-8")
        partial.replace(self._folder / _HISTORY)
