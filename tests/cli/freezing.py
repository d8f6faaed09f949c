# SPDX-License-Identifier: LGPL-2.1-or-later
"""Freezing processes: taking cores and dumps, and looking at what it left behind.

PIDMEM_ROUNDS multiplies the number of rounds of the tests that repeat (also by a fraction), PIDMEM_SEED chooses their
random moments.
"""

import os
import random
import signal
import subprocess
import time
import uuid

import pytest
from conftest import BLIND, TARGETS, Victim, check_account, identity
from core_reader import Core
from dump_reader import Dump
from engines import given

PATIENCE = 20  # seconds that things may take to be put right
SANITIZED = os.environ.get("PIDMEM_SANITIZE") == "1"
REPORT = {"pidmem", "command", "target", "output", "format", "consistency", "engine", "fallback", "pause_us",
          "stops_us", "threads", "account", "holes", "size", "elapsed_us"}


def rounds(usual):
    """How often to repeat: fewer with sanitizers, where everything takes several times as long."""
    return max(2, int(usual * float(os.environ.get("PIDMEM_ROUNDS", "0.3" if SANITIZED else "1"))))


def chance(name):
    """Random numbers, told in case of a failure."""
    seed = os.environ.get("PIDMEM_SEED", str(random.randrange(1 << 30)))
    print(f"{name}: PIDMEM_SEED={seed}")
    return random.Random(seed)


class Moments:
    """Random moments of what takes up to so many seconds. Any must do, so they are waited for by the clock; they are
    spread about the one at which it is too late, wherever that is on a machine that is busy at times."""

    def __init__(self, name, longest):
        self.random = chance(name)
        self.longest = longest

    def wait(self):
        time.sleep(self.random.uniform(0, self.longest))

    def was(self, too_late):
        self.longest *= 0.5 if too_late else 1.6


# Taking.

def save(pidmem, pid, path, *args, command="core", code=0, way=None, **options):
    """One core or dump with its report, both checked; returns the report and the open file."""
    result = pidmem(command, "-j", "--force", *given(way), *args, "-o", path, pid, **options)
    assert result.code in (code, code or BLIND), result
    report = result.json
    assert report.keys() >= REPORT, REPORT - report.keys()
    check_report(report, command, way)
    file = Core(path) if command == "core" else Dump(path)
    assert (file.check() if command == "core" else file.check(report["account"])) == []
    return report, file


def check_report(report, command, way):
    assert (report["pidmem"], report["command"]) == (1, command), report
    check_account(report["account"])
    snapshot = report["consistency"] == "snapshot"
    assert way in (None, report["engine"] if snapshot else report["consistency"]), report
    assert (report["engine"] is not None) == snapshot, report
    # Never a step down without a word, and no word without one: from a snapshot, or from the engine that was asked for.
    assert report["fallback"] is not None or snapshot or way, report
    assert report["fallback"] is None or not way, report
    stops = report["stops_us"]
    assert report["pause_us"] == (max(stops) if stops else 0), report
    assert bool(stops) == (report["consistency"] != "live"), report


class Held:
    """A save that waits in the middle, because nobody empties the pipe it writes to. The snapshot is there by then."""

    def __init__(self, pidmem, pid, *args, command="core", output="-", **options):
        self.process = pidmem.start(command, *args, "-o", output, pid, **options)
        self.data = self.process.stdout.read1(4096)
        assert self.data, self.process.communicate()
        while state(self.process.pid) not in "SZ":
            time.sleep(0)
        assert self.process.poll() is None, self.process.communicate()

    def finish(self):
        """(exit status, stream, stderr); not being root is no failure here"""
        out, err = self.process.communicate(timeout=60)
        return 0 if self.process.returncode == BLIND else self.process.returncode, self.data + out, err.decode()


# Looking.

def word(pid, name):
    with open(f"/proc/{pid}/{name}", errors="surrogateescape") as file:
        return file.read()


def stat(pid, tid=None):
    return word(pid, f"task/{tid}/stat" if tid else "stat").rsplit(")", 1)[1].split()


def state(pid, tid=None):
    try:
        return stat(pid, tid)[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


def status(pid, tid=None):
    lines = word(pid, f"task/{tid}/status" if tid else "status").splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def tasks(pid):
    return sorted(int(tid) for tid in os.listdir(f"/proc/{pid}/task"))


def children(pid):
    """The PIDs of all children, zombies too: of every thread, those that wait() does not see as well."""
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if int(stat(entry)[1]) == pid:
                    found.add(int(entry))
            except (FileNotFoundError, ProcessLookupError):
                pass
    return found


def wait_until(what, *args, patience=PATIENCE):
    """Until what(*args) says nothing more; fails with what it said last."""
    end = time.monotonic() + patience
    while said := what(*args):
        if time.monotonic() > end:
            pytest.fail(f"after {patience} s: {said}")
        time.sleep(0.002)


PROCESS = ("State", "VmSize", "RssAnon", "RssShmem", "VmPTE", "VmSwap", "VmLck", "Threads", "TracerPid", "FDSize",
           "ShdPnd", "Seccomp", "NoNewPrivs", "CapEff", "Umask")
THREAD = ("State", "TracerPid", "SigPnd", "SigBlk", "SigIgn", "SigCgt", "Cpus_allowed", "Seccomp")


def portrait(pid):
    """All that a stop and a copy could change for good. Not counted: context switches and faults, which any stop
    brings, and that a wait is now the restart of one (restart_syscall(2))."""
    now = status(pid)
    seen = {key: now[key] for key in PROCESS if key in now}
    for tid in tasks(pid):
        now = status(pid, tid)
        seen[tid] = {key: now[key] for key in THREAD if key in now}
    seen["children"] = children(pid)
    seen["descriptors"] = {fd: os.readlink(f"/proc/{pid}/fd/{fd}") for fd in sorted(os.listdir(f"/proc/{pid}/fd"))}
    for name in ("maps", "limits", "oom_score_adj", "coredump_filter", "timers", "cgroup", "personality"):
        try:
            seen[name] = word(pid, name)
        except OSError:
            pass
    return seen


def portrait_at_rest(pid):
    """The same, when all its threads wait."""
    wait_until(lambda: [tid for tid in tasks(pid) if state(pid, tid) not in "SDT"])
    return portrait(pid)


def changed(pid, before):
    """What portrait() tells now that it did not tell then."""
    after = portrait(pid)
    return {key: (before.get(key), after.get(key)) for key in before.keys() | after.keys()
            if before.get(key) != after.get(key)}


def tracked(pid):
    """What is left of tracking its writes: a userfaultfd, regions that are registered with one."""
    found = []
    try:
        if word(pid, "comm").strip() in ("awkward", "faults", "holds", "uffd", "watching"):  # they have their own
            return []
        for fd in os.listdir(f"/proc/{pid}/fd"):
            if "userfaultfd" in os.readlink(f"/proc/{pid}/fd/{fd}"):
                found.append(f"descriptor {fd} is a userfaultfd")
        flags = [line.split() for line in word(pid, "smaps").splitlines() if line.startswith("VmFlags:")]
        registered = sum(1 for each in flags if {"um", "uw"} & set(each))
        return found + ([f"{registered} regions are registered with a userfaultfd"] if registered else [])
    except OSError:  # it ended, or closed it meanwhile
        return []


def held_back(pid, before=frozenset()):
    """What shows that a process is not left alone: stopped or traced threads, children it did not have."""
    wrong = []
    try:
        for tid in tasks(pid):
            now = status(pid, tid)
            if now["State"][0] in "tT" or now["TracerPid"] != "0":
                wrong.append(f"thread {tid} is {now['State']}, traced by {now['TracerPid']}")
    except (FileNotFoundError, ProcessLookupError):
        pass  # a thread that ended: look again
    more = children(pid) - set(before)
    return wrong + tracked(pid) + [f"child {child}: {state(child)}" for child in more]


class Marked:
    """Finds every process that was started with this environment, helpers and copies of it too."""

    def __init__(self):
        self.value = f"PIDMEM_TEST={uuid.uuid4().hex}"
        self.env = dict([self.value.split("=")])

    def processes(self):
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/environ", "rb") as environ:
                        if self.value.encode() in environ.read():
                            found.append(int(entry))
                except OSError:
                    pass
        return found

    def left(self, but=()):
        return [f"{pid}: {state(pid)}, child of {stat(pid)[1]}" for pid in self.processes() if pid not in but]


# Victims that check themselves (tests/targets/worker.h).

class Workers:
    def __init__(self, victim):
        self.victim = victim
        self.before = self.ask()

    def ask(self):
        counts, _, text = self.victim.ask("?").partition("|")
        told = {name: tuple(map(int, numbers)) for name, *numbers in (one.split(":") for one in counts.split())}
        assert all(wrong == 0 for _, _, wrong in told.values()), f"a thread was disturbed: {text.strip()}: {told}"
        return told

    def progress(self):
        """Nothing was wrong, and every thread has done something since: none waits for ever."""
        def stuck():
            now = self.ask()
            return [name for name in now if now[name][0] <= self.before[name][0]]
        wait_until(stuck)
        self.before = self.ask()


def build32(folder, name):
    """Compile a victim as a 32-bit program, or skip."""
    source = os.path.join(os.path.dirname(__file__), "..", "targets")
    kernel = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True, check=False).stdout.strip()
    built = subprocess.run(["gcc", "-m32", "-O1", "-D_GNU_SOURCE", "-idirafter", f"/usr/include/{kernel}", "-pthread",
                            "-I", source, os.path.join(source, name + ".c"), "-o", folder / f"{name}32"],
                           capture_output=True, check=False)
    if built.returncode:
        pytest.skip("no 32-bit compiler (gcc -m32, Debian gcc-multilib)")
    return folder / f"{name}32"


def start_victim(name, *args, **options):
    """A victim outside of the fixture, for those that are to be killed."""
    process = subprocess.Popen([TARGETS / name, *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               **identity(options.pop("user", None)), **options)
    one = Victim(process)
    one.listen()
    return one


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
