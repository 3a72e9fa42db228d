"""Rules that no linter knows: where transactions end, who reads the environment, and that the documents say all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from api.cli import commands
from archive.settings import CONFIG_VARIABLE, PREFIX, Settings

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for package in ("api", "archive", "storage", "ml") for path in (ROOT / package).rglob("*.py"))
OPERATING, README = ROOT / "docs" / "operating.md", ROOT / "README.md"


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def places(found: Iterator[tuple[Path, ast.AST]]) -> dict[str, list[int]]:
    """Files and lines, as people look them up."""
    result: dict[str, list[int]] = {}
    for path, node in found:
        result.setdefault(path.relative_to(ROOT).as_posix(), []).append(getattr(node, "lineno", 0))
    return result


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            yield path, node


def calls(name: str) -> Iterator[tuple[Path, ast.AST]]:
    for path, node in nodes():
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if called == name:
                yield path, node


# The code


def test_transactions_end_in_one_place() -> None:
    found = places(calls("commit"))
    assert found.keys() == {"archive/db.py"}, f"services flush and never commit: {found}"


def test_the_environment_is_read_in_few_places() -> None:
    allowed = {"archive/settings.py", "archive/supervisor/supervisor.py", "api/counters.py"}
    names = {"environ", "environb", "getenv", "putenv"}
    found = places(
        (path, node)
        for path, node in nodes()
        if (isinstance(node, ast.Attribute) and node.attr in names and isinstance(node.value, ast.Name))
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and names & {alias.name for alias in node.names})
    )
    assert found.keys() <= allowed, f"settings.py reads the environment; everything else receives values: {found}"


def test_nothing_is_printed() -> None:
    found = places(calls("print"))
    assert not found, f"programs log, commands use click.echo: {found}"


def test_every_module_says_what_it_is_for() -> None:
    silent = [path.relative_to(ROOT).as_posix() for path in SOURCES if not ast.get_docstring(tree(path))]
    assert not silent


# The command line


def public(
    group: click.Group = commands, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, f"the command {name} is listed and not there"
        if command.hidden:
            continue
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from public(command, (*path, name))


COMMANDS = dict(public())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_commands_and_options_explain_themselves(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help, "a command without a docstring"
    assert command.get_short_help_str(200).endswith("."), "the first sentence is what the list of commands shows"
    mute = [option.name for option in command.params if isinstance(option, click.Option) and not option.help]
    assert not mute


# The documents


def read(document: Path) -> str:
    return document.read_text(encoding="utf-8") if document.exists() else ""


def mentions(text: str, words: str) -> bool:
    """Whether the words stand there as words, and not as a part of longer ones."""
    return re.search(rf"(?<![\w-]){re.escape(words)}(?![\w-])", text) is not None


@pytest.mark.parametrize("name", [*(PREFIX + field.upper() for field in Settings.model_fields), CONFIG_VARIABLE])
def test_every_setting_is_documented(name: str) -> None:
    assert mentions(read(OPERATING), name), f"docs/operating.md does not name {name}"


def test_no_setting_is_documented_that_is_not_there() -> None:
    known = {PREFIX + field.upper() for field in Settings.model_fields} | {CONFIG_VARIABLE}
    named = set(re.findall(rf"\b{PREFIX}[A-Z0-9_]*[A-Z0-9]\b", read(OPERATING) + read(README)))
    assert named <= known


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not (field.description or "").endswith(".")] == []


@pytest.mark.parametrize(
    "path", [path for path in COMMANDS if not isinstance(COMMANDS[path], click.Group)], ids=" ".join
)
def test_every_command_is_documented(path: tuple[str, ...]) -> None:
    words = "tagphoto " + " ".join(path)
    # A group's commands may stand as 'tagphoto account create|list|disable'.
    together = re.findall(r"tagphoto ([a-z]+) ([a-z|]+\|[a-z|]+)", read(README) + read(OPERATING))
    listed = any(group == path[0] and path[-1] in names.split("|") for group, names in together)
    assert listed or mentions(read(README) + read(OPERATING), words), f"README.md and operating.md lack '{words}'"


def verbs() -> list[str]:
    """What ./run can do, as its own 'case' has it."""
    script = (ROOT / "run").read_text(encoding="utf-8")
    cases = script[script.index("case $command in") :]
    return re.findall(r"^    ([a-z]+)\)", cases, re.MULTILINE)


def test_the_script_has_the_verbs_that_others_rely_on() -> None:
    assert {"serve", "tagphoto", "test", "check", "bench", "setup"} <= set(verbs())


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_of_the_script_is_documented(verb: str) -> None:
    text = read(README) + read(OPERATING)
    # './run' alone is './run serve'.
    named = mentions(text, f"./run {verb}") or (verb == "serve" and "./run" in text)
    assert named, f"README.md and operating.md lack './run {verb}'"


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_of_the_script_is_in_its_help(verb: str) -> None:
    script = (ROOT / "run").read_text(encoding="utf-8")
    text = script[script.index("cat <<'HELP'") : script.index("\nHELP\n")]
    assert mentions(text, f"./run {verb}")
