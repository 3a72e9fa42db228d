"""``./run check``: everything that can be found without running the product's tests."""

from __future__ import annotations

import ast
import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from alembic import command
from alembic.util import CommandError
from sqlalchemy import Connection

from api.cli.openapi import written
from archive import schema
from archive.db import create_engine
from tests.support.cluster import running

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
LONG_FUNCTION, LONG_FILE = 40, 300
_SOURCES = ("api", "archive", "storage", "ml", "migrations", "tests")


def main() -> None:
    steps: dict[str, Callable[[], str]] = {
        "format": lambda: _run(BIN / "ruff", "format", "--check", "."),
        "lint": lambda: _run(BIN / "ruff", "check", "."),
        "types": lambda: _run(BIN / "mypy"),
        "layers": lambda: _run(BIN / "lint-imports"),
        "migrations": _migrations,
        "openapi": _openapi,
        "web client's types from openapi": _web_schema,
        "web types": lambda: _npm("types"),
        "web lint": lambda: _npm("lint"),
        "web tests": lambda: _npm("test"),
    }
    wrong = 0
    for name, step in steps.items():
        fault = step()
        print(f"{'ok  ' if not fault else 'BAD '} {name}", flush=True)
        if fault:
            wrong += 1
            print(fault)
    print("\nLonger than a reader holds at a glance (a list, not a fault):")
    for line in _long():
        print("  " + line)
    sys.exit(1 if wrong else 0)


def _run(*argv: str | Path, folder: Path = ROOT) -> str:
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _npm(script: str) -> str:
    return _run("npm", "run", "--silent", script, folder=ROOT / "web")


def _migrations() -> str:
    """Say what the tables and the migrations disagree about."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as cluster:
        return asyncio.run(_drift(cluster.dsn("template")))


async def _drift(dsn: str) -> str:
    def check(connection: Connection) -> str:
        try:
            command.check(schema.config(connection))
        except CommandError as error:
            return str(error)
        return ""

    engine = create_engine(dsn, pool_size=1)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(check)
    finally:
        await engine.dispose()


def _openapi() -> str:
    kept = ROOT / "web" / "openapi.json"
    if kept.read_text() == written():
        return ""
    return f"{kept} is out of date: ./run tagphoto openapi > web/openapi.json, then npm run generate in web/"


def _web_schema() -> str:
    kept = ROOT / "web" / "src" / "api" / "schema.d.ts"
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "schema.d.ts"
        generator = ROOT / "web" / "node_modules" / ".bin" / "openapi-typescript"
        if fault := _run(generator, "openapi.json", "-o", fresh, folder=ROOT / "web"):
            return fault
        return "" if fresh.read_text() == kept.read_text() else f"{kept} is out of date: npm run generate in web/"


def _long() -> Iterator[str]:
    python = [file for folder in _SOURCES for file in (ROOT / folder).rglob("*.py") if "versions" not in file.parts]
    client = [file for end in ("vue", "ts") for file in (ROOT / "web" / "src").rglob(f"*.{end}")]
    for file in sorted([*python, *client]):
        lines = file.read_text().count("\n")
        if lines > LONG_FILE and file.name != "schema.d.ts":  # generated
            yield f"{file.relative_to(ROOT)}: {lines} lines"
    for file in sorted(python):
        yield from _long_functions(file)


def _long_functions(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > LONG_FUNCTION:
                yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines"


if __name__ == "__main__":
    main()
