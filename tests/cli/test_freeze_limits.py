# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where no copy by clone can be made, the target is copied while it runs, or else stopped, and the report says why.
The target survives all of it."""

import json
import os
import re
import signal
import subprocess

import pytest
from conftest import BLIND, PAGE, pattern
from control_groups import Group
from core_reader import Core
from engines import given, tracking_lacks
from freezing import (Held, Workers, changed, children, held_back, portrait, portrait_at_rest, save, state, status,
                      tasks, wait_until)


def falls_back(pidmem, pid, path, *words, to="stopped", **options):
    """A core by default: not a snapshot, and the reason has one of these words; by hand it fails and says the same."""
    report, core = save(pidmem, pid, path, **options)
    assert report["consistency"] == to, report
    assert any(one in report["fallback"] for one in words), report
    result = pidmem.fails("core", "--consistency=snapshot", "-o", f"{path}.no", pid, hint=False, **options)
    assert any(one in result.err for one in words), result
    assert not os.path.exists(f"{path}.no")
    return report, core


def no_copy(pidmem, pid, path, *words, **options):
    """clone() is impossible: tracking the writes does it, where the kernel can, and if a clone was asked for that is
    told. Into a pipe it is kept stopped; by hand that fails. All say why."""
    result = pidmem.fails("core", "--consistency=snapshot", "-o", "-", pid, hint=False, **options)
    assert any(one in result.err for one in words), result
    result = pidmem("core", "-R", "stack", "-o", "-", pid, **options)
    assert result.code in (0, BLIND) and "the process was stopped" in result.err, result
    if tracking_lacks():
        return falls_back(pidmem, pid, path, *words, **options)[1]
    result = copied_while_it_ran(pidmem, pid, path, *words, wish=given("clone"), **options)
    assert result.json["fallback"] in result.err, result
    report, core = save(pidmem, pid, path, **options)
    assert (report["engine"], report["fallback"]) == ("precopy", None), report
    return core


def copied_while_it_ran(pidmem, pid, path, *words, wish, **options):
    """Though a clone would have been preferred."""
    result = pidmem("core", "-j", "--force", *wish, "-o", path, pid, **options)
    assert result.code in (0, BLIND) and result.json["engine"] == "precopy", result
    assert "it was copied while it ran" in result.json["fallback"], result
    assert any(one in result.json["fallback"] for one in words), result
    return result


def held_back_without_copy(pidmem, pid, path, *words):
    """Options that a clone is preferred for. Who asked to be held back is warned."""
    if tracking_lacks():
        return
    for wish, name in (("--rate=1000", "--rate"), ("--nice", "--nice"), ("--max-size=1G", "--max-size"), ("-z1", "-z")):
        result = copied_while_it_ran(pidmem, pid, path, *words, wish=[wish])
        assert f" {name} " in result.json["fallback"], result
        assert (result.json["fallback"] in result.err) == (name in ("--rate", "--nice")), result
    # The file beside would be larger than what was allowed.
    report = pidmem("core", "-j", "--force", "--partial", "--max-size=200K", "-o", path, pid).json
    assert report["consistency"] == "stopped" and any(one in report["fallback"] for one in words), report


def alive(one):
    """The target does as it did."""
    wait_until(held_back, one.pid)
    assert one.process.poll() is None


# seccomp

@pytest.mark.parametrize("how", ["strict", "children", "list"])
def test_seccomp_with_privilege(pidmem, victim, tmp_path, need_root, how):
    """With CAP_SYS_ADMIN the filter is suspended for the injected calls, and is back afterwards."""
    one = victim("confined", how)
    mode = status(one.pid)["Seccomp"]
    for _ in range(3):
        report, core = save(pidmem, one.pid, tmp_path / "core")
        with core:
            assert report["consistency"] == "snapshot", report
            assert core.read(one.region, 2 * PAGE) == pattern(2, 60)
        assert one.ask("?") == "alive"
    assert status(one.pid)["Seccomp"] == mode != "0"
    alive(one)


@pytest.mark.parametrize("how", ["strict", "children", "list"])
def test_seccomp_without_privilege(pidmem, victim, user_dir, as_user, how):
    """A filter that cannot be suspended might kill: no call is injected."""
    one = victim("confined", how, user=as_user)
    report, core = falls_back(pidmem, one.pid, user_dir / "core", "seccomp", user=as_user)
    with core:
        assert core.read(one.region, 2 * PAGE) == pattern(2, 60)
    report, core = save(pidmem, one.pid, user_dir / "core", "--engine=clone", user=as_user)
    core.close()
    assert report["consistency"] == "stopped" and "seccomp" in report["fallback"], report
    assert one.ask("?") == "alive"
    alive(one)


def test_seccomp_as_root_without_the_capability(pidmem, victim, tmp_path, need_root):
    """Root in a container: CAP_SYS_PTRACE may be there, CAP_SYS_ADMIN not."""
    one = victim("confined", "list")
    without = ["capsh", "--drop=cap_sys_admin", "--", "-c", '"$@"', "sh"]
    report = pidmem("core", "-j", "-o", tmp_path / "core", one.pid, before=without)
    assert report.code == 0 and report.json["consistency"] == "stopped", report
    assert "seccomp" in report.json["fallback"], report
    assert one.ask("?") == "alive"


def test_the_filter_kills(victim):
    """It would have: the victim makes such a call by itself."""
    one = victim("confined", "list", well=False)
    gdb = subprocess.run(["gdb", "-nx", "-batch", "-p", str(one.pid), "-ex", "call (int)getpid()"],
                         capture_output=True, check=False, stdin=subprocess.DEVNULL) if have("gdb") else None
    if gdb is None:
        pytest.skip("gdb is not installed")
    assert one.process.wait(20) == -signal.SIGSYS, gdb


def have(name):
    return any(os.access(os.path.join(folder, name), os.X_OK) for folder in os.environ["PATH"].split(":"))


# Numbers of processes

def test_pids_max(pidmem, victim, tmp_path):
    one = victim("waits")
    with Group("pids") as group:
        group.add(one.pid)
        worker = Workers(one)
        group.limit(group.used())
        try:
            no_copy(pidmem, one.pid, tmp_path / "core", "pids.max", "processes").close()
            held_back_without_copy(pidmem, one.pid, tmp_path / "core", "pids.max", "processes")
        finally:
            group.limit("max")
        worker.progress()
        alive(one)
        report, core = save(pidmem, one.pid, tmp_path / "core")
        core.close()
        assert report["consistency"] == "snapshot", report
        assert one.end() == 0


def test_pids_max_for_several(pidmem, victim, tmp_path):
    """There is room for one copy, which is given up when the other one turns out to be impossible: they are of
    one moment."""
    ones = [victim("waits"), victim("waits")]
    workers = [Workers(one) for one in ones]
    with Group("pids") as group:
        for one in ones:
            group.add(one.pid)
        group.limit(group.used() + 1)
        for args in (["-o", tmp_path / "c"], ["--consistency=snapshot", "-o", tmp_path / "d"]):
            result = pidmem("core", "-j", "--engine=clone", *args, *(one.pid for one in ones))
            if tracking_lacks() and len(args) > 2:
                assert result.code == 2, result
                continue
            assert result.code in (0, BLIND), result
            first, second = [json.loads(line) for line in result.out.splitlines()]
            wanted = "stopped" if tracking_lacks() else "snapshot"
            assert first["consistency"] == second["consistency"] == wanted, result
            assert f"process {ones[1].pid}" in first["fallback"] and "pids.max" in second["fallback"], result
        group.limit("max")
        for one, worker in zip(ones, workers):
            alive(one)
            worker.progress()
            assert one.end() == 0


@pytest.mark.parametrize("reader", ["root", "ordinary"])
def test_rlimit_nproc(pidmem, victim, user_dir, as_user, reader):
    """The limit of the target counts, whoever asks."""
    if reader == "root" and as_user is None:
        pytest.skip("needs root")
    one = victim("heavy", "dense", 1, user=as_user, before=["prlimit", "--nproc=1"])
    before = portrait(one.pid)["limits"]
    assert re.search(r"Max processes +1 +1 ", before)
    no_copy(pidmem, one.pid, user_dir / "core", "RLIMIT_NPROC", "processes",
            user=as_user if reader == "ordinary" else None).close()
    assert portrait(one.pid)["limits"] == before
    assert one.ask("again") == "2"
    alive(one)


# Memory

def test_memory_for_page_tables_is_short(pidmem, victim, tmp_path):
    """The page tables of a copy would not fit into the control group: the kernel would end the target itself."""
    one = victim("heavy", "sparse", 8 << 10)
    with Group("memory") as group:
        group.add(one.pid)
        one.ask("again")
        # What it has was charged elsewhere before it came; page tables of a copy are charged here.
        group.limit(4 << 20)
        with no_copy(pidmem, one.pid, tmp_path / "core", "memory") as core:
            assert core.word(one.region) in (1, 2)
        assert one.ask("again") == "3"
        assert one.end() == 0


def heavy_in(group, victim, size, room):
    """A victim whose memory is charged to a group, which has so much more."""
    one = victim("heavy", "dense", size >> 20, before=["sh", "-c", f'echo $$ > {group.file("cgroup.procs")}; exec "$@"',
                                                       "sh"])
    group.limit(group.used() + room)
    return one


def test_memory_is_short_from_the_beginning(pidmem, victim, tmp_path):
    """No headroom for what the target writes meanwhile: whatever is chosen, the target survives."""
    with Group("memory") as group:
        one = heavy_in(group, victim, 64 << 20, 2 << 20)
        with no_copy(pidmem, one.pid, tmp_path / "core", "memory") as core:
            assert core.word(one.region + (64 << 20) - PAGE) == 1
        held_back_without_copy(pidmem, one.pid, tmp_path / "core", "memory")
        assert one.ask("again") == "2"
        alive(one)
        assert one.end() == 0


def test_memory_runs_out_during_the_save(pidmem, victim):
    """The target writes, its pages are copied, the limit is reached: the kernel ends the copy and not the target."""
    with Group("memory") as group:
        one = heavy_in(group, victim, 64 << 20, 256 << 20)
        held = Held(pidmem, one.pid, "--consistency=snapshot")
        assert children(one.pid)
        group.limit(group.used() + (8 << 20))
        assert one.ask("again") == "2"
        code, _, err = held.finish()
        assert group.killed() in ("1", None)
        assert code == 2 and err.startswith("pidmem: ") and "copy" in err, err
        alive(one)
        assert one.ask("again") == "3"
        assert one.end() == 0


@pytest.mark.skipif(os.environ.get("PIDMEM_OVERCOMMIT") != "1",
                    reason="changes vm.overcommit_memory for the whole machine: PIDMEM_OVERCOMMIT=1 runs it")
def test_overcommit(pidmem, victim, tmp_path, need_root):
    """Strict accounting, and less left than the target has: clone() says ENOMEM."""
    one = victim("leave", 256)
    names = ["/proc/sys/vm/overcommit_memory", "/proc/sys/vm/overcommit_kbytes", "/proc/sys/vm/overcommit_ratio"]
    before = [open(name).read() for name in names]
    committed = int(dict(line.split(":") for line in open("/proc/meminfo"))["Committed_AS"].split()[0])
    try:
        for name, value in zip(names[1::-1], (committed + (128 << 10), 2)):
            with open(name, "w") as file:
                file.write(str(value))
        report, core = save(pidmem, one.pid, tmp_path / "core")
    finally:
        for name, value in zip(names, before):
            if value.strip() != "0" or name == names[0]:  # kbytes and ratio exclude each other
                with open(name, "w") as file:
                    file.write(value)
    core.close()
    assert report["consistency"] == "stopped" and "memory" in report["fallback"], report
    alive(one)


def test_hugetlb_pool_is_empty(pidmem, huge_pages, victim, tmp_path):
    """Writing to a shared huge page takes another one: without, the kernel takes it from the copy, or kills."""
    huge_pages(4)  # what the victim reserves
    one = victim("hugetlb")
    report, dump = save(pidmem, one.pid, tmp_path / "dump", "--engine=clone", command="dump")
    with dump:
        assert dump.read(one.private, 2 << 20) == pattern(512, 8)
        assert dump.read(one.shared, 2 << 20) == pattern(512, 9)
    assert report["engine"] == "clone" or "huge" in report["fallback"], report
    wait_until(held_back, one.pid)
    assert one.end() == 0
    assert int(open("/proc/sys/vm/nr_hugepages").read()) == 4


# Traced, or hard to stop

def test_traced_already(pidmem, victim, tmp_path):
    """It cannot be stopped, by hand this fails and names the tracer; read live, the target and its tracer go on."""
    one = victim("waits")
    tracer = victim("why_tracer", one.pid)
    worker = Workers(one)
    report, core = save(pidmem, one.pid, tmp_path / "core")
    core.close()
    assert report["consistency"] == "live" and "traced" in report["fallback"], report
    result = pidmem.fails("core", "--consistency=stopped", "-o", tmp_path / "no", one.pid)
    assert "traced" in result.err and str(tracer.pid) in result.err, result
    assert status(one.pid)["TracerPid"] == str(tracer.pid)
    assert tracer.end() == 0
    worker.progress()


def test_thread_that_waits_uninterruptibly(pidmem, victim, tmp_path, need_root, way):
    """For an answer of a file server. It is told as not stopped, with what proc(5) `syscall` has of it; the rest goes
    on, and so does the thread when it gets its answer."""
    (tmp_path / "mount").mkdir()
    one = victim("stuck", tmp_path / "mount")
    report, core = save(pidmem, one.pid, tmp_path / "core", way=way)
    with core:
        threads = {thread.pid: thread for thread in core.threads}
        assert threads.keys() == set(tasks(one.pid))
        assert core.read(one.region, PAGE) == pattern(1, 63)
        *_, stack, counter = open(f"/proc/{one.pid}/task/{one.tid}/syscall").read().split()
        if "rsp" in threads[one.tid].registers:
            assert [threads[one.tid].registers[name] for name in ("rsp", "rip")] == [int(stack, 16), int(counter, 16)]
    assert (report["threads"], report["unstopped"]) == (2, 1), report
    assert state(one.pid, one.tid) == "D"
    told = pidmem("core", "--force", *given(way), "-o", tmp_path / "core", one.pid)
    assert "1 of 2 threads" in told.err and "uninterruptible" in told.err, told
    wait_until(lambda: held_back(one.pid, children(one.pid)))
    assert one.end() == 0


def test_thread_in_vfork(pidmem, victim, tmp_path, way):
    """One thread does not stop until its child has gone on; another one does. The first is told of."""
    one = victim("awkward", "vfork2")
    wait_until(lambda: [] if any(state(one.pid, tid) == "D" for tid in tasks(one.pid)) else "not in vfork() yet")
    result = pidmem("core", "-j", *given(way), "-o", tmp_path / "core", one.pid)
    assert result.code == 0, result
    assert result.json["threads"] == 2 and result.json["unstopped"] == 1, result
    # The child has the same memory, and goes on: that is no time for pre-copy.
    assert way != "precopy" or "another process shares its memory" in result.json["fallback"], result
    assert str(one.pid) in result.err and "stop" in result.err, result
    with Core(tmp_path / "core") as core:
        assert core.check() == []
        assert core.read(one.region, PAGE) == pattern(1, 61)
        assert {thread.pid for thread in core.threads} == set(tasks(one.pid))
    assert one.end() == 0


def test_only_thread_in_vfork(pidmem, victim, tmp_path):
    """Nothing of it can be stopped: told, and in no way a hang."""
    one = victim("awkward", "vfork")
    wait_until(lambda: [] if state(one.pid) == "D" else "not in vfork() yet")
    result = pidmem("core", "-j", "-o", tmp_path / "core", one.pid)
    if result.code == 0:
        assert result.json["consistency"] == "live" and result.json["fallback"], result
    else:
        assert result.code == 2 and "stop" in result.err, result
    assert one.end() == 0


@pytest.mark.parametrize("command", ["core", "dump"])
def test_first_thread_has_ended(pidmem, victim, tmp_path, command):
    """A zombie leader: memory and registers come from the threads that live on."""
    one = victim("ended")
    wait_until(lambda: [] if state(one.headless) == "Z" else "not yet")
    wait_until(lambda: [tid for tid in tasks(one.headless) if state(one.headless, tid) not in "SZ"])
    before = {tid: state(one.headless, tid) for tid in tasks(one.headless)}
    report, file = save(pidmem, one.headless, tmp_path / "file", command=command)
    with file:
        assert file.read(one.region, 2 * PAGE) == pattern(2, 28)
        if command == "core":
            living = [tid for tid in before if tid != one.headless]
            assert set(living) <= {thread.pid for thread in file.threads}
    assert report["consistency"] == "snapshot", report
    wait_until(lambda: [] if {tid: state(one.headless, tid) for tid in tasks(one.headless)} == before else "changed")
    wait_until(lambda: children(one.headless))


def test_userfaultfd(pidmem, victim, tmp_path):
    """A copy is not registered with it: its missing pages would be zeros. They have no content, as ever."""
    one = victim("uffd")
    before = portrait_at_rest(one.pid)
    report, dump = save(pidmem, one.pid, tmp_path / "dump", command="dump", code=BLIND)
    with dump:
        assert dump.read(one.private, PAGE) == pattern(1, 24)
        assert dump.explained(one.private + PAGE, one.private + 4 * PAGE) == {("no_content", "userfaultfd")}
    wait_until(changed, one.pid, before)
    assert report["consistency"] in ("snapshot", "stopped"), report


def test_userfaultfd_that_waits_for_forks(pidmem, victim, tmp_path, need_root):
    """Who forks waits for a reader of the event, which is stopped: pidmem neither hangs nor harms."""
    one = victim("awkward", "uffd")
    before = portrait_at_rest(one.pid)
    report, core = save(pidmem, one.pid, tmp_path / "core", timeout=30)
    with core:
        assert core.read(one.region, PAGE) == pattern(1, 62)
    assert report["engine"] == "precopy" or report["consistency"] == "stopped" and report["fallback"], report
    wait_until(changed, one.pid, before)
