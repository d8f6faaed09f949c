# SPDX-License-Identifier: LGPL-2.1-or-later
"""A core of ours, and then one that the kernel writes of the same process at the same point: segment by segment, note by
note and byte by byte.

The process does not run in between: it waits for its input. Larger programs never wait with all their threads: they are
stopped by SIGSTOP. The first thread then dies before it can go on; the others may run for a moment, and what they can
change by that is not compared. What else is allowed to differ is listed here, and nowhere else.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import resource
import signal
import tempfile

import pytest
from conftest import PAGE, check_account
from core_reader import NT_AUXV, NT_FILE, NT_PRPSINFO, NT_PRSTATUS, NT_SIGINFO, NT_X86_XSTATE, Core
from freezing import build32
from programs import (NODE, PYTHON, Program, all_stopped, children, java_program, need, postgres_server, put_keys, put_rows,
                      redis_server)

PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern")
DEADLY = signal.SIGXCPU  # nobody handles it, and it dumps core
PF_SIGNALED, PF_DUMPCORE = 0x400, 0x200
XSAVE_LAYOUT = 0x205  # of all threads; it stands behind the last one


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="pidmem-", dir="/tmp") as name:
        yield pathlib.Path(name)


@pytest.fixture(autouse=True)
def surroundings():
    """Core files of any size; and one processor for all: the kernel writes its number into each thread (rseq(2))."""
    if os.geteuid() != 0:
        pytest.skip("setting core_pattern needs root")
    limits, processors = resource.getrlimit(resource.RLIMIT_CORE), os.sched_getaffinity(0)
    if limits[1] != resource.RLIM_INFINITY:
        pytest.skip(f"core files are limited to {limits[1]} bytes (ulimit -Hc)")
    resource.setrlimit(resource.RLIMIT_CORE, (limits[1], limits[1]))
    os.sched_setaffinity(0, {min(processors)})
    yield
    os.sched_setaffinity(0, processors)
    resource.setrlimit(resource.RLIMIT_CORE, limits)


@contextlib.contextmanager
def kernel_cores(folder):
    """The kernel writes cores to folder/kernel.PID. The pattern is one for the whole machine."""
    with open(PATTERN, "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = lock.read()
        try:
            PATTERN.write_text(f"{folder}/kernel.%p\n")
        except OSError as error:
            pytest.skip(f"core_pattern cannot be set: {error.strerror}")
        try:
            yield
        finally:
            PATTERN.write_bytes(before)


def both(pidmem, process, folder, *args, stopped=False):
    """(report, our core, the kernel's) of a process; ends it."""
    pid = process.pid
    result = pidmem("core", "-j", *args, "-o", folder / "ours", pid)
    assert result.code == 0, result
    with kernel_cores(folder):
        ctypes.CDLL(None).tgkill(pid, pid, DEADLY)  # for the first thread: the kernel puts the one that dies first
        if stopped:
            os.kill(pid, signal.SIGCONT)
        ending = process.wait(60)
    assert ending == -DEADLY
    if not (folder / f"kernel.{pid}").exists():
        pytest.skip("the kernel writes no core files here (CONFIG_COREDUMP, a container, no room?)")
    return result.json, Core(folder / "ours"), Core(folder / f"kernel.{pid}")


def segments(core):
    return [(hex(s.start), hex(s.memsz), hex(s.filesz), s.perms, s.align) for s in core.segments]


def compare_content(ours, theirs, ran):
    """All bytes of the kernel's core are in ours: a hole there is one here."""
    for segment in theirs.segments:
        if ran and "w" in segment.perms:
            continue
        for at in range(segment.start, segment.start + segment.filesz, 1 << 20):
            size = min(1 << 20, segment.start + segment.filesz - at)
            if ours.read(at, size) != theirs.read(at, size):
                pages = [hex(page) for page in range(at, at + size, PAGE)
                         if ours.read(page, PAGE) != theirs.read(page, PAGE)]
                pytest.fail(f"{segment.perms} at {hex(segment.start)}: pages {pages[:8]} differ")


def kinds(core):
    """Owner, type and size of all notes but our own."""
    return [(note.owner, note.type, len(note.data)) for note in core.notes if note.owner != "pidmem"]


def status_fields(core, thread):
    """What NT_PRSTATUS tells besides signal and CPU times."""
    word = core.bits // 8
    data = thread.note(NT_PRSTATUS)
    times = 16 + 2 * word + 16
    return data[16:16 + 2 * word], data[16 + 2 * word:times], data[times + 8 * word:]


def mask_features(data):
    """Byte 512 of the XSAVE area says which parts are not in their first state. The processor may change its mind."""
    return data[:512] + bytes(8) + data[520:]


def compare_threads(ours, theirs, ran):
    mine, kernels = ({thread.pid: thread for thread in core.threads} for core in (ours, theirs))
    assert mine.keys() == kernels.keys()
    assert next(iter(mine)) == next(iter(kernels)), "the first thread comes first"
    assert [thread.signal != 0 for thread in mine.values()] == [True] + [False] * (len(mine) - 1)
    for pid, thread in list(mine.items())[:1 if ran else None]:
        other = kernels[pid]
        assert thread.registers == other.registers, pid
        assert status_fields(ours, thread) == status_fields(theirs, other), pid
        for note in thread.notes:
            if note.owner == "pidmem" or note.type in (NT_PRSTATUS, NT_SIGINFO, XSAVE_LAYOUT):
                continue
            data = other.note(note.type)
            if note.type == NT_X86_XSTATE:
                assert mask_features(note.data) == mask_features(data), pid
            else:
                assert note.data == data, (pid, note.type)


def compare_process(ours, theirs, stopped):
    """NT_PRPSINFO. For the kernel the process runs: it dumps core, and its flags say so. Stopped by SIGSTOP it is T."""
    word = ours.bits // 8
    mine, kernels = ours.note(NT_PRPSINFO), theirs.note(NT_PRPSINFO)
    flags = slice(word, 2 * word)
    assert kernels[:2] == b"\0R"
    assert mine[:2] == (b"\3T" if stopped else kernels[:2])
    assert mine[2:4] == kernels[2:4]  # zombie, nice
    numbers = [int.from_bytes(info[flags], "little") for info in (mine, kernels)]
    assert numbers[0] == numbers[1] & ~(PF_SIGNALED | PF_DUMPCORE)
    assert mine[2 * word:] == kernels[2 * word:]


def compare(report, ours, theirs, stopped=False):
    ran = stopped and report["threads"] > 1
    with ours, theirs:
        assert ours.check() == []
        assert (ours.bits, ours.machine, ours.type) == (theirs.bits, theirs.machine, theirs.type)
        assert segments(ours) == segments(theirs)
        # Notes of one kind have one size: the order of the threads but the first may differ.
        assert kinds(ours) == kinds(theirs)
        for kind in (NT_AUXV, NT_FILE, XSAVE_LAYOUT):
            assert ours.note(kind) == theirs.note(kind), hex(kind)
        compare_threads(ours, theirs, ran)
        compare_process(ours, theirs, stopped)
        compare_content(ours, theirs, ran)
        check_own_note(report, ours)


def check_own_note(report, ours):
    note = ours.notes[-1]
    assert (note.owner, note.type, len(note.data) % 4) == ("pidmem", 0x504D454D, 0)
    record = json.loads(note.data)
    check_account(record["account"])
    assert record["pidmem"] == 1 and record["command"] == "core"
    for key in ("consistency", "engine", "fallback", "threads", "account"):
        assert record[key] == report[key], key
    assert len(record["holes"]) + record["holes_omitted"] == len(report["holes"])
    assert all(hole in report["holes"] for hole in record["holes"])


@pytest.mark.parametrize("consistency", ["snapshot", "stopped"])
def test_plain(pidmem, plain, folder, consistency):
    """A program with two threads."""
    report, ours, theirs = both(pidmem, plain.process, folder, "--consistency", consistency)
    assert report["consistency"] == consistency and report["threads"] == 2
    compare(report, ours, theirs)


@pytest.fixture
def plain(victim):
    return victim("plain", well=False)


def test_threads(pidmem, victim, folder):
    report, ours, theirs = both(pidmem, victim("threads", 50, well=False).process, folder)
    assert report["threads"] == 51
    compare(report, ours, theirs)


@pytest.mark.parametrize("mask", [0x33, 0x00, 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x7F])
def test_rules(pidmem, victim, folder, mask):
    """One mapping for each way through the rules, under the target's own filter."""
    (folder / "files").mkdir()
    one = victim("dumpable", folder / "files", well=False)
    pathlib.Path(f"/proc/{one.pid}/coredump_filter").write_text(hex(mask))
    report, ours, theirs = both(pidmem, one.process, folder)
    compare(report, ours, theirs)


def test_filter_option(pidmem, victim, folder):
    """--filter overrides the target's."""
    (folder / "files").mkdir()
    one = victim("dumpable", folder / "files", well=False)
    assert pidmem("core", "--filter", "0x04", "-o", folder / "four", one.pid).code == 0
    pathlib.Path(f"/proc/{one.pid}/coredump_filter").write_text("0x04")
    _, ours, theirs = both(pidmem, one.process, folder)
    with Core(folder / "four") as four, ours, theirs:
        assert segments(four) == segments(theirs)
        compare_content(four, theirs, False)


def test_kinds(pidmem, victim, folder):
    """/dev/zero, System V, memfd, madvise()."""
    report, ours, theirs = both(pidmem, victim("kinds", well=False).process, folder)
    compare(report, ours, theirs)


def test_32_bit(pidmem, victim, folder):
    one = victim("plain32", binary=build32(folder, "plain"), well=False)
    report, ours, theirs = both(pidmem, one.process, folder)
    assert ours.bits == 32
    compare(report, ours, theirs)


def test_niced_and_blocked_signals(pidmem, folder):
    """Numbers that are zero in most processes: nice, masks, a pending signal, ended children, group and session."""
    code = ("import ctypes, os, signal, subprocess, threading\n"
            "os.nice(7); os.setsid(); os.setgid(5); os.setuid(4)\n"
            "subprocess.run(['true'])\n"
            "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGRTMAX])\n"
            "signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)\n"
            "ctypes.CDLL(None).prctl(4, 1)  # dumpable, in spite of setuid()\n"
            "print('ready', flush=True); os.read(0, 1)\n")
    folder.chmod(0o777)
    with Program(["/usr/bin/python3", "-c", code]) as program:
        program.wait_for(b"ready")
        report, ours, theirs = both(pidmem, program.process, folder)
        assert ours.threads[0].held == 1 << 63 | 1 << signal.SIGUSR1 - 1
        assert ours.threads[0].pending == 1 << signal.SIGUSR1 - 1
        compare(report, ours, theirs)


def frozen_program(pidmem, program, folder, *args):
    """A program that does not wait for anything: stopped first."""
    program.stop()
    return both(pidmem, program.process, folder, *args, stopped=True)


def test_python(pidmem, folder):
    with Program(["/usr/bin/python3", "-c", PYTHON]) as program:
        program.wait_for(b"ready")
        compare(*frozen_program(pidmem, program, folder), stopped=True)


def test_redis(pidmem, folder):
    with redis_server(folder) as (redis, client):
        put_keys(client, 5000, b"value-%d")
        compare(*frozen_program(pidmem, redis, folder), stopped=True)


def test_postgres(pidmem, folder, as_user):
    """The postmaster, with the buffers that it shares with others: these stand still meanwhile."""
    folder.chmod(0o777)
    with postgres_server(folder, as_user) as (server, psql), psql() as client:
        put_rows(client, 5000)
        with all_stopped(children(server.pid)):
            compare(*frozen_program(pidmem, server, folder, "--shared=paused"), stopped=True)


def compare_settled(pidmem, folder, arguments):
    """Between our core and the kernel's the threads of the program run for a moment, and some of them may just then take
    more memory: then once more, with another process."""
    for attempt in range(12):
        place = folder / str(attempt)
        place.mkdir()
        with Program(arguments) as program:
            program.wait_for(b"ready")
            cores = frozen_program(pidmem, program, place)
        if segments(cores[1]) == segments(cores[2]):
            break
    compare(*cores, stopped=True)


def test_node(pidmem, folder):
    compare_settled(pidmem, folder, [need("node", "nodejs"), "-e", NODE])


def test_java(pidmem, folder):
    compare_settled(pidmem, folder, java_program(folder))
