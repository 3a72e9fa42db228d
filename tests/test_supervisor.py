"""Programs and their supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from archive.errors import StartRefused
from archive.supervisor import Lines, Program, Supervisor
from tests.support.service import (
    PATIENCE,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


class _Unwritable(Lines):
    def write(self, program: str, line: str, *, quiet: bool = False) -> None:
        raise RuntimeError(program, line, quiet)


@asynccontextmanager
async def supervised(lines: Lines, *programs: Program) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(lines)
    try:
        for program in programs:
            await supervisor.add(program)
        yield supervisor
    finally:
        async with asyncio.timeout(PATIENCE):
            await supervisor.stop()


def shell(script: str, **more: Any) -> Program:
    return Program("shell", ("sh", "-c", script), **more)


async def becomes(condition: Callable[[], Any], what: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)
    assert condition(), what


async def test_a_program_is_read_to_its_end_even_if_its_lines_cannot_be_written(tmp_path: Path) -> None:
    # More than a pipe and a reader hold: a program that nobody reads would not get to its end.
    much = f"yes $(printf %1000d 0) | head -c 5000000; touch {tmp_path}/end; sleep 600"
    async with supervised(_Unwritable(None), shell(much)):
        await becomes((tmp_path / "end").exists, "the end")


async def test_what_a_program_left_behind_holds_neither_its_restart_nor_the_stop_up(tmp_path: Path) -> None:
    (tmp_path / "left").touch()
    left = f"setsid sleep 600 & echo $! >> {tmp_path}/left; [ $(wc -l < {tmp_path}/left) = 2 ] && sleep 600"
    async with supervised(Lines(None), shell(left)):
        await becomes(lambda: len((tmp_path / "left").read_text().split()) == 2, "a second start")
    for pid in (tmp_path / "left").read_text().split():
        os.kill(int(pid), signal.SIGKILL)


async def test_a_program_that_once_cannot_be_prepared_is_started_again_later(tmp_path: Path) -> None:
    starts = tmp_path / "starts"

    def enter() -> None:
        with starts.open("a") as file:
            file.write("start\n")
        if len(starts.read_text().splitlines()) == 2:
            raise RuntimeError("not now")

    program = shell(f"[ $(wc -l < {starts}) = 3 ] && sleep 600", enter=enter)
    async with supervised(Lines(None), program):
        await becomes(lambda: len(starts.read_text().splitlines()) == 3, "a third start")


async def test_a_program_that_cannot_be_prepared_at_all_refuses_the_start() -> None:
    def enter() -> None:
        raise RuntimeError("never")

    with pytest.raises(StartRefused, match="shell cannot be started"):
        async with supervised(Lines(None), shell("true", enter=enter)):
            pass


async def test_a_program_and_who_hears_of_its_end_know_the_name_of_the_start(tmp_path: Path) -> None:
    names, told = iter(["one", "two", "three", "four", "five"]), []

    async def ended(name: str, asked: bool) -> None:
        told.append((name, asked))

    (tmp_path / "names").touch()
    script = f'echo "$@" >> {tmp_path}/names; [ $2 = two ] && sleep 600'
    program = Program("shell", ("sh", "-c", script, "shell"), new_name=lambda: next(names), ended=ended)
    async with supervised(Lines(None), program):
        await becomes(lambda: (tmp_path / "names").read_text() == "--name one\n--name two\n", "a second start")
    assert told == [("one", False), ("two", True)]
