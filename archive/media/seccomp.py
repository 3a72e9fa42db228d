"""A seccomp filter, assembled by hand: what a decoder may ask of the kernel once it holds all that it needs.

Reading and writing what is open, memory and time. Anything else kills the process, but for a few calls which libraries
make out of habit: those are answered with an error.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from dataclasses import dataclass

_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
# struct seccomp_data: int nr; u32 arch; u64 instruction_pointer; u64 args[6], little-endian on both machines.
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_X32 = 0x40000000
_AT_EMPTY_PATH = 0x1000
_SIGABRT = 6
_CLONE_THREAD = 0x10000


@dataclass(frozen=True, slots=True)
class _Machine:
    """An architecture: its audit number and its numbers of the calls."""

    audit: int
    calls: dict[str, int]


_X86_64 = _Machine(
    0xC000003E,
    {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11,
        "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "ioctl": 16, "pread64": 17,
        "readv": 19, "writev": 20, "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35, "setitimer": 38,
        "getpid": 39, "clone": 56, "exit": 60, "fcntl": 72, "gettimeofday": 96, "getrusage": 98, "sigaltstack": 131,
        "gettid": 186, "futex": 202, "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228,
        "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "tgkill": 234, "newfstatat": 262,
        "set_robust_list": 273, "prlimit64": 302, "getrandom": 318, "membarrier": 324, "rseq": 334, "clone3": 435,
    },
)  # fmt: skip
_AARCH64 = _Machine(
    0xC00000B7,
    {
        "fcntl": 25, "ioctl": 29, "close": 57, "lseek": 62, "read": 63, "write": 64, "readv": 65, "writev": 66,
        "pread64": 67, "newfstatat": 79, "fstat": 80, "exit": 93, "exit_group": 94, "futex": 98, "set_robust_list": 99,
        "nanosleep": 101, "setitimer": 103, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115,
        "sched_getaffinity": 123, "sched_yield": 124, "restart_syscall": 128, "tgkill": 131, "sigaltstack": 132,
        "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "getrusage": 165, "gettimeofday": 169,
        "getpid": 172, "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216, "clone": 220, "mmap": 222,
        "mprotect": 226, "madvise": 233, "prlimit64": 261, "getrandom": 278, "membarrier": 283, "rseq": 293,
        "clone3": 435,
    },
)  # fmt: skip
_MACHINES = {"x86_64": _X86_64, "aarch64": _AARCH64}
# No process begins, but threads do: decoders of HEVC insist on one. What ``clone3`` is asked for cannot be looked into,
# and libraries fall back to ``clone``. Who asks whether a descriptor is a terminal hears that it is none.
_ANSWERED = {"clone": errno.EPERM, "clone3": errno.ENOSYS, "ioctl": errno.ENOTTY}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def forbid_new_privileges(libc: ctypes.CDLL) -> bool:
    """Make sure that nothing that is ever executed has more rights; also what lets everybody install a filter."""
    return bool(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)


def install(libc: ctypes.CDLL, filter_: bytes | None) -> bool:
    """Filter this process's calls from now on; false where the kernel knows no filters, or we no such machine."""
    if filter_ is None:
        return False
    program = _Program(len(filter_) // 8, filter_)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def assemble(process_id: int, machine: str = platform.machine()) -> bytes | None:
    """Write the filter for a process; none for a machine whose calls we do not know."""
    known = _MACHINES.get(machine)
    if known is None:
        return None
    conditions = {
        "newfstatat": (3, _AT_EMPTY_PATH),  # of what is open, not of a path
        "prlimit64": (0, 0),  # of ourselves
        "tgkill": (2, _SIGABRT),  # abort() is an honest way to die
    }
    program = [
        _load(_ARCH), _jump(_EQUAL, known.audit, 1, 0), _return(_KILL_PROCESS),
        _load(_NUMBER), _jump(_AT_LEAST, _X32, 0, 1), _return(_KILL_PROCESS),
    ]  # fmt: skip
    for name, number in known.calls.items():
        answer = _return(_ERRNO | _ANSWERED[name]) if name in _ANSWERED else _return(_ALLOW)
        block = [answer]
        if name in conditions:
            argument, value = conditions[name]
            block = [*_only(argument, value), answer]
        if name == "tgkill":
            block = [*_only(0, process_id), *block]
        if name == "clone":
            block = [_load(_ARGUMENTS), _jump(_ANY_BIT, _CLONE_THREAD, 0, 1), _return(_ALLOW), answer]
        program += [_jump(_EQUAL, number, 0, len(block)), *block]
    return b"".join([*program, _return(_KILL_PROCESS)])


def _only(argument: int, value: int) -> list[bytes]:
    """Kill unless the low half of an argument is this; the calls so guarded take an int."""
    return [_load(_ARGUMENTS + 8 * argument), _jump(_EQUAL, value, 1, 0), _return(_KILL_PROCESS)]


def _load(offset: int) -> bytes:
    return struct.pack("<HBBI", _LOAD, 0, 0, offset)


def _jump(test: int, value: int, if_true: int, if_false: int) -> bytes:
    return struct.pack("<HBBI", test, if_true, if_false, value)


def _return(action: int) -> bytes:
    return struct.pack("<HBBI", _RETURN, 0, 0, action)
