"""One file says how a training runs: ``training.toml``; every key has a default."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ml.numbers.errors import LabelsInvalid


@dataclass(frozen=True, slots=True)
class Training:
    """How long and how a network is trained."""

    steps: int = 20_000
    batch: int = 32
    rate: float = 1.5e-3
    weight_decay: float = 0.02
    seed: int = 1
    threads: int = 1
    minutes: float = 0.0  # ends sooner when this much time is spent; 0: no limit
    precision: str = "float32"  # "bfloat16" pays on processors with AMX and on GPUs
    save_every: int = 200
    judge_every: int = 1000
    channels: tuple[int, int, int] = (24, 48, 96)
    line: int = 160

    @classmethod
    def read(cls, file: Path) -> Training:
        """Read a file; what it does not name keeps its default."""
        try:
            document = tomllib.loads(file.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise LabelsInvalid(f"{file}: {error}") from error
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(document) - known):
            raise LabelsInvalid(f"{file}: unknown keys {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        if "channels" in document:
            document["channels"] = tuple(document["channels"])
        return cls(**document)

    def document(self) -> dict[str, object]:
        """Give it as a training record keeps it."""
        return asdict(self)
