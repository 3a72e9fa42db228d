"""Tests that go on for longer than a change should have to wait: ``./run soak NAME``."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

import click


@dataclass(frozen=True)
class Soak:
    """Some of the tests, with more of what they do."""

    more: dict[str, str]
    tests: tuple[str, ...]


SOAKS = {
    # Fifty kills of the API while each of three clients uploads.
    "uploads": Soak({"UPLOAD_KILLS": "150"}, ("tests/test_upload_kills.py", "-k", "survives")),
}


@click.command()
@click.argument("name", type=click.Choice(list(SOAKS)))
def main(name: str) -> None:
    """Run one of them."""
    soak = SOAKS[name]
    argv = [sys.executable, "-m", "pytest", "-n0", *soak.tests]
    raise SystemExit(subprocess.run(argv, env=os.environ | soak.more, check=False).returncode)


if __name__ == "__main__":
    main()
