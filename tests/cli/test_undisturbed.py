# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nothing disturbed: the target is the same before and after each command, by every measure /proc has."""

import os
import signal
import sys
import time

import pytest
from programs import Program

STATUS = ("State", "VmSize", "VmRSS", "RssAnon", "RssFile", "RssShmem", "VmPTE", "VmSwap", "VmLck", "SigPnd", "ShdPnd",
          "SigBlk", "SigIgn", "SigCgt", "Threads", "TracerPid", "FDSize", "voluntary_ctxt_switches")
COMMANDS = ("maps", "maps -x", "maps -j", "read", "dump --consistency=live", "why")
FREEZING = ("dump --consistency=stopped", "dump --consistency=snapshot", "core")
# To be stopped and to run on is a switch, and what is shared with a copy is copied at the next write: by the kernel
# itself as well, which notes the processor in the rseq area of each thread that runs on.
STOPPING = ("voluntary_ctxt_switches", "minor faults")


def word(pid, name):
    with open(f"/proc/{pid}/{name}") as file:
        return file.read()


def state(pid, tid):
    return word(pid, f"task/{tid}/stat").rsplit(")", 1)[1].split()[0]


def thread(pid, tid):
    """Where a thread waits, and for what."""
    return [state(pid, tid), *(word(pid, f"task/{tid}/{name}") for name in ("syscall", "wchan", "children"))]


def portrait(pid):
    """All that a visit could change."""
    seen = {}
    for line in word(pid, "status").splitlines():
        key, _, value = line.partition(":")
        if key in STATUS:
            seen[key] = value.strip()
    stat = word(pid, "stat").rsplit(")", 1)[1].split()
    seen["minor faults"], seen["major faults"] = stat[7], stat[9]
    seen["threads"] = {tid: thread(pid, tid)
                       for tid in sorted(os.listdir(f"/proc/{pid}/task"))}
    seen["descriptors"] = {fd: os.readlink(f"/proc/{pid}/fd/{fd}") for fd in sorted(os.listdir(f"/proc/{pid}/fd"))}
    seen["maps"] = word(pid, "maps")
    return seen


def wait_for_rest(pid, states="ST"):
    """Until no thread of it runs."""
    for tid in os.listdir(f"/proc/{pid}/task"):
        while word(pid, f"task/{tid}/syscall").startswith("running") or state(pid, tid) not in states:
            time.sleep(0)


def visit(pidmem, command, pid, address, folder, user):
    verb, *options = command.split()
    save = ["-o", folder / "d", "--force"]
    more = {"read": [f"{address:x}", "4096"], "dump": save, "core": save}.get(verb, [])
    result = pidmem(verb, *options, pid, *more, user=user)
    assert result.code in ((0, 3) if verb in ("read", "dump", "core") else (0,)), result


def check(pidmem, one, address, folder, user, commands=COMMANDS, freezing=FREEZING):
    wait_for_rest(one.pid)
    before = portrait(one.pid)
    for command in commands:
        visit(pidmem, command, one.pid, address, folder, user)
        assert portrait(one.pid) == before, command
    for command in freezing:
        visit(pidmem, command, one.pid, address, folder, user)
        wait_for_rest(one.pid)
        now = portrait(one.pid)
        for key in STOPPING:
            now[key] = before[key]
        assert now == before, command


@pytest.fixture(params=["root", "ordinary"])
def role(request, as_user):
    if request.param == "root" and os.geteuid() != 0:
        pytest.skip("needs root")
    return as_user if request.param == "ordinary" else None


@pytest.mark.parametrize("name,address", [("plain", "bytes"), ("untouched", "private"), ("untouched", "shared"),
                                          ("reserve", "region"), ("guard", "region"), ("memfd", "region"),
                                          ("uffd", "private"), ("thp", "region"), ("secretmem", "region")])
def test_nothing_changes(pidmem, victim, user_dir, role, name, address):
    one = victim(name, user=role)
    # No process is copied whose memory a userfaultfd supplies.
    freezing = FREEZING if name != "uffd" else ("dump --consistency=stopped",)
    check(pidmem, one, one.facts[address], user_dir, role, freezing=freezing)


@pytest.mark.parametrize("name", ["truncated", "noaccess", "cow"])
def test_nothing_changes_with_files(pidmem, victim, user_dir, role, name):
    one = victim(name, user_dir / "file", user=role)
    check(pidmem, one, next(iter(one.facts.values())), user_dir, role)


def test_untouched_memory_stays_untouched(pidmem, victim, user_dir, role):
    """The figures of the promise, by themselves: 2 GiB private, 64 MiB shared, nothing resident afterwards."""
    one = victim("untouched", user=role)
    before = portrait(one.pid)
    result = pidmem("dump", "-o", user_dir / "d", one.pid, user=role)
    # As an ordinary user nothing can say what the untouched shared memory holds, other than by touching it.
    assert result.code == (0 if role is None and os.geteuid() == 0 else 3), result
    after = portrait(one.pid)
    assert (after["RssShmem"], after["VmPTE"], after["RssAnon"]) == \
        (before["RssShmem"], before["VmPTE"], before["RssAnon"])
    assert int(before["RssShmem"].split()[0]) < 1024  # the program's own file, if it lies on a tmpfs


@pytest.mark.parametrize("length", ["1", "4096", "1048576"])
def test_reading_untouched_memory(pidmem, victim, user_dir, role, length):
    one = victim("untouched", user=role)
    wait_for_rest(one.pid)
    before = portrait(one.pid)
    for address in (one.private, one.private + (1 << 30), one.shared, one.shared + (32 << 20)):
        assert pidmem("read", one.pid, f"{address:x}", length, user=role).code in (0, 3)
    assert portrait(one.pid) == before


def test_stopped_stays_stopped(pidmem, victim, user_dir, role):
    one = victim("plain", user=role)
    one.stop()
    check(pidmem, one, one.bytes, user_dir, role)
    assert state(one.pid, one.pid) == "T"
    one.resume()


@pytest.mark.parametrize("call", ["nanosleep", "poll", "futex", "epoll"])
def test_system_calls_go_on(pidmem, victim, user_dir, role, call):
    """The victim ends with EINTR if its wait is cut short, and the fixture looks at how it ends."""
    one = victim("blocked", call, user=role)
    wait_for_rest(one.pid)
    before = word(one.pid, "syscall")
    # A stop changes what is seen of a wait (it is restarted), and ends epoll_wait(): signal(7). test_freeze_undisturbed.py
    check(pidmem, one, int(word(one.pid, "maps").split("-")[0], 16), user_dir, role, freezing=())
    assert word(one.pid, "syscall") == before
    assert one.end() == 0


def test_parent_and_child_are_both_left_alone(pidmem, victim, user_dir, role):
    one = victim("family", user=role)
    for pid in (one.pid, one.child):
        wait_for_rest(pid)
    before = portrait(one.pid), portrait(one.child)
    for command in COMMANDS:
        visit(pidmem, command, one.child, one.shared, user_dir, role)
        assert (portrait(one.pid), portrait(one.child)) == before, command


def test_target_lives_on_when_pidmem_is_killed(pidmem, victim, tmp_path):
    one = victim("leave", 64)
    wait_for_rest(one.pid)
    before = portrait(one.pid)
    for _ in range(5):
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        process = pidmem.start("dump", "--consistency=live", "-o", fifo, one.pid)
        with open(fifo, "rb", buffering=0) as stream:
            assert stream.read(4096)
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
        fifo.unlink()
        assert portrait(one.pid) == before


def test_the_portrait_notices(victim):
    """Reading as others do does change the target: this test would see it."""
    one = victim("untouched")
    wait_for_rest(one.pid)
    before = portrait(one.pid)
    with open(f"/proc/{one.pid}/mem", "rb", buffering=0) as memory:
        memory.seek(one.shared)
        memory.read(1 << 20)
    after = portrait(one.pid)
    assert after != before and after["RssShmem"] != before["RssShmem"]


def shared_dirty(pid, address):
    """KiB of one region that are still shared copy-on-write."""
    lines = word(pid, "smaps").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{address:x}-"))
    return int(next(line for line in lines[start:] if line.startswith("Shared_Dirty:")).split()[1])


# Maps a file of which it has not touched a page, and holds a write lease on it; SIGIO would end it.
LEASED = """if True:
    import fcntl, mmap, os, sys
    file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
    os.ftruncate(file, 65536)
    memory = mmap.mmap(file, 65536, mmap.MAP_PRIVATE, mmap.PROT_READ)
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    print("ready", flush=True)
    sys.stdin.readline()
    print("held" if fcntl.fcntl(file, fcntl.F_GETLEASE) == fcntl.F_WRLCK else "broken", flush=True)"""


@pytest.mark.parametrize("consistency", ["live", "stopped", "snapshot"])
def test_leases_are_not_broken(pidmem, user_dir, role, consistency):
    with Program([sys.executable, "-c", LEASED, user_dir / "leased"], user=role) as one:
        one.wait_for(b"ready")
        result = pidmem("dump", "-j", f"--consistency={consistency}", "-o", user_dir / "d", one.pid, user=role)
        assert result.code in (0, 3), result
        if consistency == "live":  # it can be had by opening the file alone
            assert result.json["account"]["unreadable"] >= 65536
        one.process.stdin.write(b"\n")
        one.process.stdin.flush()
        one.wait_for(b"held")


def test_what_is_shared_copy_on_write_stays_shared(pidmem, victim, user_dir, role):
    """process_vm_readv would give the child a copy of each page (an unshare fault): memory it never asked for."""
    one = victim("forked", user=role)
    assert shared_dirty(one.child, one.shared) == 8192
    for pid in one.child, one.pid:
        result = pidmem("dump", "-o", user_dir / f"d{pid}", pid, user=role)
        assert result.code == 0, result
    assert shared_dirty(one.child, one.shared) == 8192
