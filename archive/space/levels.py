"""The levels of a policy: what each asks for, and which of two is the more careful one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive.models import Policy

KEEP, EXACT, CUSTOM = "keep", "exact", "custom"
_SCORES = {"visually_lossless": 90.0, "space_saver": 80.0}
_DAYS = 30
# Whether this release has an encoder that searches for a score. Without one, what would be lossy is refused, not faked.
LOSSY = False


@dataclass(frozen=True, slots=True)
class Target:
    """What a lossy form has to reach."""

    codec: str
    score: float
    most_pixels: int | None


@dataclass(frozen=True, slots=True)
class Level:
    """What is wanted of an asset's form."""

    name: str
    target: Target | None = None
    # How long what gives the received bytes back stays behind a lossy form.
    keep_days: int = _DAYS

    @property
    def care(self) -> tuple[int, float, int]:
        """Say how careful it is: the more, the less may be lost."""
        if self.target is None:
            return {KEEP: 3, EXACT: 2}[self.name], 0.0, 0
        # A cap on pixels loses more than any score says.
        return 0 if self.target.most_pixels else 1, self.target.score, self.keep_days


def of(policy: Policy) -> Level:
    """Read what a policy asks for."""
    if policy.level in {KEEP, EXACT}:
        return Level(policy.level)
    score = policy.score if policy.level == CUSTOM and policy.score is not None else _SCORES.get(policy.level, 90.0)
    pixels = policy.most_pixels if policy.level == CUSTOM else None
    return Level(policy.level, Target(policy.codec or "jxl", score, pixels), policy.keep_days)


def offered() -> list[str]:
    """List what this release can do."""
    return [KEEP, EXACT, *(_SCORES if LOSSY else ()), *([CUSTOM] if LOSSY else [])]


def most_careful(found: Sequence[Level]) -> Level:
    """Choose where several albums want different things of one asset."""
    return max(found, key=lambda level: level.care)
