"""One measured figure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    bench: str
    figure: str
    value: float
    unit: str
    yardstick: str | None = None
    ratio: float | None = None
    goal: str | None = None

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def written(self) -> str:
        line = f"{self.bench:<6} {self.figure:<42} {self.value:>10.3f} {self.unit:<11}"
        if self.ratio is not None:
            line += f" {self.ratio:6.2f} of {self.yardstick}"
        if self.goal:
            line += f"  (goal: {self.goal})"
        return line.rstrip()


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
