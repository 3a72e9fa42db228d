"""The sandbox: a task ends with a verdict within its limits, and may do nothing but compute."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.media import confinement, nursery, seccomp
from archive.media.limits import DEFAULT, MIB
from archive.media.nursery import Child, SandboxFailed
from archive.media.protocol import FRAME_BYTES, HEADER, Kind, frame, json_frame
from archive.media.sandbox import Gathered, Result, Sandbox, capabilities
from archive.media.source import MemorySource, RangeSource, memory_source
from archive.media.verdict import Verdict
from tests.support import media_tasks

PLUGINS = (media_tasks.__name__,)
CONTENT = hashlib.shake_256(b"content").digest(3 * MIB + 12345)
BUBBLEWRAP = confinement.bubblewrap(nursery._visible(PLUGINS)) is not None
KNOWN_VARIABLES = {b"", b"LC_ALL", b"LC_CTYPE", b"PWD", *(name.encode() for name in nursery._ENVIRONMENT)}
WAYS = [
    pytest.param(
        True, id="bubblewrap", marks=pytest.mark.skipif(not BUBBLEWRAP, reason="bubblewrap does not work here")
    ),
    pytest.param(False, id="alone"),
]


@pytest.fixture(scope="module", params=WAYS)
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    async with Sandbox(use_bubblewrap=request.param, plugins=PLUGINS) as made:
        yield made


@pytest.fixture(scope="module")
async def source() -> AsyncIterator[MemorySource]:
    with await memory_source(CONTENT) as made:
        yield made


async def pieces(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def works(sandbox: Sandbox) -> bool:
    with await memory_source(b"a file") as good:
        return (await sandbox.run("nothing", {"a": 1}, good)).value == {"size": 6, "args": {"a": 1}}


# What a task gets and gives


async def test_a_task_has_the_file_and_its_arguments(sandbox: Sandbox, source: MemorySource) -> None:
    result = await sandbox.run("nothing", {"a": [1, "ß"]}, source)
    assert result.verdict is Verdict.OK
    assert result.value == {"size": len(CONTENT), "args": {"a": [1, "ß"]}}
    assert result.cpu_seconds > 0
    assert result.peak_memory > MIB


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, len(CONTENT)])
async def test_a_file_reads_the_same_from_memory_and_by_ranges(sandbox: Sandbox, size: int) -> None:
    content = CONTENT[:size]
    asked: list[tuple[int, int]] = []

    async def read(start: int, length: int) -> bytes:
        asked.append((start, length))
        return content[start : start + length]

    with await memory_source(pieces(content), size) as whole:
        from_memory = await sandbox.run("digest", {}, whole)
    by_ranges = await sandbox.run("digest", {}, RangeSource(size, read))
    assert from_memory.value == by_ranges.value
    assert from_memory.value == {
        "sha256": hashlib.sha256(content).hexdigest(), "tail": content[-10:].hex(), "position": size,
    }  # fmt: skip
    assert sum(length for _, length in asked) == size, "each block is read once"


async def test_a_source_of_another_size_than_was_said_is_refused() -> None:
    for size in (len(CONTENT) - 1, len(CONTENT) + 1):
        with pytest.raises(ValueError, match="should have"):
            await memory_source(pieces(CONTENT), size)


async def test_nobody_can_change_a_source_any_more(source: MemorySource) -> None:
    with pytest.raises(PermissionError):
        os.pwrite(source.descriptor, b"x", 0)
    with pytest.raises(PermissionError):
        os.ftruncate(source.descriptor, 0)


async def test_blobs_and_progress_arrive_in_order(sandbox: Sandbox, source: MemorySource) -> None:
    seen: list[tuple[int, int]] = []

    async def progress(done: int, total: int) -> None:
        seen.append((done, total))

    blobs = Gathered()
    result = await sandbox.run("copy", {}, source, progress=progress, blobs=blobs)
    assert result.verdict is Verdict.OK
    assert blobs.blobs == {"copy": CONTENT, "tail": b"tail"}
    assert seen == [(min(part * MIB, len(CONTENT)), len(CONTENT)) for part in range(1, 5)]


async def test_blobs_that_nobody_wants_are_let_go(sandbox: Sandbox, source: MemorySource) -> None:
    assert (await sandbox.run("copy", {}, source)).verdict is Verdict.OK

    async def first_piece(_: str, given: AsyncIterator[bytes], /) -> None:
        await anext(given)

    assert (await sandbox.run("copy", {}, source, blobs=first_piece)).verdict is Verdict.OK


async def test_the_child_waits_while_a_blob_is_dealt_with(sandbox: Sandbox, source: MemorySource) -> None:
    limits = replace(DEFAULT, output_bytes=200 * MIB)
    before, most = _resident(), 0

    async def sink(_: str, given: AsyncIterator[bytes], /) -> None:
        nonlocal most
        async for _piece in given:
            await asyncio.sleep(0)
            most = max(most, _resident())

    result = await sandbox.run("pour", {"mib": 150}, source, limits=limits, blobs=sink)
    assert result.verdict is Verdict.OK
    assert most - before < 20 * MIB


async def test_what_the_caller_raises_comes_out(sandbox: Sandbox, source: MemorySource) -> None:
    async def full(_: str, _given: AsyncIterator[bytes], /) -> None:
        raise OSError(errno.ENOSPC, "no room")

    async def away(_start: int, _length: int) -> bytes:
        raise ConnectionResetError("the store is away")

    with pytest.raises(OSError, match="no room"):
        await sandbox.run("copy", {}, source, blobs=full)
    with pytest.raises(ConnectionResetError, match="the store is away"):
        await sandbox.run("digest", {}, RangeSource(100, away))
    assert await works(sandbox)


async def test_a_range_that_is_too_short_is_no_fault_of_the_file(sandbox: Sandbox) -> None:
    async def read(_start: int, _length: int) -> bytes:
        return b"short"

    with pytest.raises(EOFError):
        await sandbox.run("digest", {}, RangeSource(100, read))


async def test_many_tasks_run_at_once(sandbox: Sandbox, source: MemorySource) -> None:
    results = await asyncio.gather(*(sandbox.run("digest", {"n": n}, source) for n in range(12)))
    assert {result.value["sha256"] for result in results if result.value} == {hashlib.sha256(CONTENT).hexdigest()}
    assert len(results) == 12


# How a task can end


async def child_of(sandbox: Sandbox) -> Child:
    """Wait for a child to be there."""
    while not (sandbox._nursery._zygote and sandbox._nursery._zygote._children):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    (child,) = sandbox._nursery._zygote._children.values()
    return child


async def run(sandbox: Sandbox, source: MemorySource, task: str, **args: object) -> Result:
    result = await sandbox.run(task, args, source, limits=replace(DEFAULT, cpu_seconds=1, wall_seconds=20))
    assert await works(sandbox), "a later file is none the worse"
    return result


@pytest.mark.parametrize("verdict", [Verdict.CORRUPT, Verdict.UNSUPPORTED])
async def test_a_task_may_refuse_a_file(sandbox: Sandbox, source: MemorySource, verdict: Verdict) -> None:
    result = await run(sandbox, source, "refuse", **{"as": verdict})
    assert (result.verdict, result.detail, result.value) == (verdict, "so it is [31m", None)


async def test_a_task_that_nobody_knows_is_unsupported(sandbox: Sandbox, source: MemorySource) -> None:
    assert (await run(sandbox, source, "sing")).verdict is Verdict.UNSUPPORTED


async def test_a_failure_in_a_task_is_a_crash_that_says_what_failed(sandbox: Sandbox, source: MemorySource) -> None:
    result = await run(sandbox, source, "fail")
    assert (result.verdict, result.detail) == (Verdict.CRASH, "KeyError: 'what?'")


@pytest.mark.parametrize(("task", "died"), [("crash", signal.SIGSEGV), ("abort", signal.SIGABRT)])
async def test_a_decoder_that_dies_is_a_crash(sandbox: Sandbox, source: MemorySource, task: str, died: int) -> None:
    result = await run(sandbox, source, task)
    assert result.verdict is Verdict.CRASH
    assert result.detail == f"the decoder died of signal {signal.strsignal(died)}"


async def test_too_much_memory_is_a_resource_limit(sandbox: Sandbox, source: MemorySource) -> None:
    limits = replace(DEFAULT, memory=64 * MIB, memory_spare=0)
    assert (await sandbox.run("eat_memory", {"bytes": 32 * MIB}, source, limits=limits)).verdict is Verdict.OK
    result = await sandbox.run("eat_memory", {"bytes": 80 * MIB}, source, limits=limits)
    assert result.verdict is Verdict.RESOURCE_LIMIT


async def test_too_much_processor_time_is_a_resource_limit(sandbox: Sandbox, source: MemorySource) -> None:
    result = await run(sandbox, source, "eat_time")
    assert result.verdict is Verdict.RESOURCE_LIMIT
    assert "processor time" in (result.detail or "")


async def test_too_long_is_a_timeout(sandbox: Sandbox, source: MemorySource) -> None:
    result = await sandbox.run("sleep", {"seconds": 60}, source, limits=replace(DEFAULT, wall_seconds=0.2))
    assert result.verdict is Verdict.TIMEOUT
    assert await works(sandbox)


async def test_more_blobs_than_allowed_are_a_resource_limit(sandbox: Sandbox, source: MemorySource) -> None:
    result = await sandbox.run("copy", {}, source, limits=replace(DEFAULT, output_bytes=MIB))
    assert result.verdict is Verdict.RESOURCE_LIMIT
    assert (await sandbox.run("copy", {}, source, blobs=Gathered(MIB))).verdict is Verdict.RESOURCE_LIMIT


async def test_cancelling_kills_the_child(sandbox: Sandbox, source: MemorySource) -> None:
    running = asyncio.create_task(sandbox.run("eat_time", {}, source))
    child = await child_of(sandbox)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    ended = await asyncio.wait_for(child.ended, 10)
    assert ended.status == signal.SIGKILL
    assert await works(sandbox)


# What a child may not do


@pytest.mark.parametrize("call", media_tasks.FORBIDDEN)
async def test_a_child_that_asks_for_more_dies(sandbox: Sandbox, source: MemorySource, call: str) -> None:
    if not (await sandbox.capabilities())["seccomp"].startswith("A decoder"):
        pytest.skip("no filters of calls here")
    result = await run(sandbox, source, "forbidden", call=call)
    assert (result.verdict, result.value) == (Verdict.CRASH, None)
    assert result.detail == "the decoder tried what it may not"


async def test_a_child_has_no_children(sandbox: Sandbox, source: MemorySource) -> None:
    assert (await run(sandbox, source, "fork")).value == {"errno": errno.EPERM}


async def test_a_child_is_limited(sandbox: Sandbox, source: MemorySource) -> None:
    result = await run(sandbox, source, "limits")
    assert result.value == {"files": DEFAULT.open_files, "core": 0, "written": 0, "processes": DEFAULT.threads}


async def test_the_zygote_has_no_environment_and_no_rights(sandbox: Sandbox) -> None:
    await sandbox.capabilities()
    assert sandbox._nursery._zygote
    processes = [Path(f"/proc/{process}") for process in _below(sandbox._nursery._zygote._process.pid)]
    fields = _status(processes[-1])
    assert {fields[name].strip("0") for name in ("CapEff", "CapPrm")} == {""}
    assert (fields["Threads"], fields["NoNewPrivs"]) == ("1", "1")
    assert set(fields["Uid"].split()).isdisjoint({"0"})
    if os.geteuid() != 0:  # then nobody may look any closer, its own user included
        with pytest.raises(PermissionError):
            _variables(processes[-1])
        return
    for process in processes:
        assert _variables(process) <= KNOWN_VARIABLES
    # Nothing, twice; standard error; its line; two ends of its own.
    assert len(_entries(processes[-1] / "fd")) <= 6


# A child that was taken over


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(HEADER.pack(99, 5), id="no-such-frame"),
        pytest.param(HEADER.pack(Kind.DATA, FRAME_BYTES + 1), id="too-long"),
        pytest.param(HEADER.pack(Kind.RESULT, 0xFFFFFFFF), id="endless-result"),
        pytest.param(frame(Kind.DATA, b"x"), id="piece-of-no-blob"),
        pytest.param(frame(Kind.END), id="end-of-no-blob"),
        pytest.param(frame(Kind.BLOB, b"../../etc"), id="path-as-name"),
        pytest.param(frame(Kind.BLOB, b"\xff"), id="name-of-no-text"),
        pytest.param(frame(Kind.BLOB, b"a") + frame(Kind.BLOB, b"b"), id="blob-in-blob"),
        pytest.param(frame(Kind.WANT, bytes(12)), id="wish-for-what-it-has"),
        pytest.param(frame(Kind.PROGRESS, b'["a",1]'), id="progress-of-text"),
        pytest.param(frame(Kind.RESULT, b"[" * 100_000), id="deep"),
        pytest.param(frame(Kind.RESULT, b'{"verdict":"ok","value":NaN}'), id="no-number"),
        pytest.param(json_frame(Kind.RESULT, {"verdict": "fine"}), id="no-verdict"),
        pytest.param(json_frame(Kind.RESULT, {"verdict": "ok", "value": [1]}), id="no-value"),
        pytest.param(json_frame(Kind.RESULT, {"verdict": "ok", "detail": 1}), id="no-detail"),
    ],
)
async def test_nonsense_is_a_crash(sandbox: Sandbox, said: bytes) -> None:
    with await memory_source(said) as source:
        result = await sandbox.run("say", {}, source)
    assert result.verdict is Verdict.CRASH
    assert "never says" in (result.detail or "")
    assert await works(sandbox)


async def test_a_range_beyond_the_file_is_not_asked_of_the_store(sandbox: Sandbox) -> None:
    said = frame(Kind.WANT, (90).to_bytes(8) + (20).to_bytes(4))

    async def read(start: int, length: int) -> bytes:
        assert start + length <= len(said)
        return said[start : start + length]

    assert (await sandbox.run("say", {}, RangeSource(len(said), read))).verdict is Verdict.CRASH


# The zygote


async def test_a_zygote_that_died_is_replaced(source: MemorySource) -> None:
    async with Sandbox(plugins=PLUGINS) as sandbox:
        assert await works(sandbox)
        running = asyncio.create_task(sandbox.run("sleep", {"seconds": 60}, source))
        await child_of(sandbox)
        assert sandbox._nursery._zygote
        for process in reversed(_below(sandbox._nursery._zygote._process.pid)):
            os.kill(process, signal.SIGKILL)
        assert (await running).verdict is Verdict.CRASH
        assert await works(sandbox)


async def test_nothing_is_left_when_the_sandbox_is_closed(source: MemorySource) -> None:
    async with Sandbox(plugins=PLUGINS) as other:
        running = asyncio.create_task(other.run("sleep", {"seconds": 60}, source))
        await child_of(other)
        assert other._nursery._zygote
        processes = _below(other._nursery._zygote._process.pid)
        assert len(processes) >= 2
    assert (await running).verdict is Verdict.CRASH
    for _ in range(100):
        if not _alive(processes):
            break
        await asyncio.sleep(0.05)
    assert not _alive(processes)


async def test_a_sandbox_that_is_closed_while_it_starts_stays_closed(source: MemorySource) -> None:
    sandbox = Sandbox(plugins=PLUGINS)
    running = [asyncio.create_task(sandbox.run("nothing", {}, source)) for _ in range(2)]
    await asyncio.sleep(0)
    await sandbox.close()
    for task in running:
        with pytest.raises(SandboxFailed, match="closed"):
            await task
    assert sandbox._nursery._zygote is None


def test_nothing_outlives_a_worker_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    root = Path(__file__).resolve().parents[1]
    for way in ("None", "False"):
        with subprocess.Popen([sys.executable, script, root, way], stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout
            assert worker.stdout.readline() == "running\n"
            processes = _below(worker.pid)[1:]
            assert len(processes) >= 2
            worker.kill()
        for _ in range(200):
            if not _alive(processes):
                break
            time.sleep(0.05)
        assert not _alive(processes)


WORKER = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from archive.media.sandbox import Sandbox
from archive.media.source import memory_source

async def main():
    sandbox = Sandbox(use_bubblewrap=eval(sys.argv[2]), plugins=("tests.support.media_tasks",))
    await sandbox.capabilities()
    running = asyncio.create_task(sandbox.run("eat_time", {}, await memory_source(b"a")))
    await asyncio.sleep(0.3)
    print("running", flush=True)
    await running

asyncio.run(main())
"""


def test_the_parent_imports_no_decoder() -> None:
    root = Path(__file__).resolve().parents[1]
    ask = "import sys; sys.path.insert(0, sys.argv[1]); import archive.jobs, api.app; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", ask, root], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"PIL", "av", "rawpy", "pillow_heif", "imagecodecs", "exiv2"} & set(loaded)


async def test_what_is_in_force_is_said_in_sentences() -> None:
    said = await capabilities()
    assert said.keys() == {"bubblewrap", "namespaces", "seccomp", "rlimits", "user"}
    assert all(sentence.endswith(".") for sentence in said.values())


def test_filters_are_written_for_known_machines_only() -> None:
    for machine in ("x86_64", "aarch64"):
        written = seccomp.assemble(1, machine)
        assert written
        assert len(written) % 8 == 0
        assert len(written) // 8 < 4096
    assert seccomp.assemble(1, "pdp11") is None


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def _variables(process: Path) -> set[bytes]:
    return {entry.partition(b"=")[0] for entry in (process / "environ").read_bytes().split(b"\0")}


def _status(process: Path) -> dict[str, str]:
    lines = (process / "status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def _alive(processes: list[int]) -> list[int]:
    return [process for process in processes if Path(f"/proc/{process}").exists()]


def _below(process: int) -> list[int]:
    """Give a process and all that descend from it, the oldest first."""
    found = [process]
    for one in found:
        children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
        found += [int(child) for child in children]
    return found
