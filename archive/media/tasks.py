"""What a child can do, by name, and what the zygote does before it forks so that no child has to open a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archive.media.child import Work

Task = Callable[[Work], dict[str, Any]]
TASKS: dict[str, Task] = {}


def warm_up() -> None:
    """Import."""
