# SPDX-License-Identifier: LGPL-2.1-or-later
"""Targets that end, turn into another program, or are no longer what their number says, while they are read."""

import os
import signal
import subprocess
import time

import oracle
import pytest
from conftest import PAGE, TARGETS, pattern
from dumping import take
from middle import SIZE, Middle, check_failed, stopped_while_writing


def test_exit_while_it_is_read(pidmem, victim, tmp_path):
    one = victim("leave", SIZE)
    middle = Middle(pidmem, one.pid, tmp_path)
    one.tell("exit")
    one.process.wait(20)
    code, out, err, data = middle.finish()
    check_failed(code, out, err)
    assert "ended" in err, err
    assert len(data) < SIZE << 20


def test_killed_and_not_waited_for(pidmem, victim, tmp_path):
    """A zombie still has its number and its directory in /proc, but no memory."""
    one = victim("leave", SIZE, well=False)
    middle = Middle(pidmem, one.pid, tmp_path)
    os.kill(one.pid, signal.SIGKILL)
    os.waitid(os.P_PID, one.pid, os.WEXITED | os.WNOWAIT)
    code, out, err, _ = middle.finish()
    check_failed(code, out, err)
    assert "ended" in err, err


def test_exec_while_it_is_read(pidmem, victim, tmp_path):
    one = victim("leave", SIZE)
    middle = Middle(pidmem, one.pid, tmp_path)
    one.tell(f"exec {TARGETS}/plain")
    one.listen()
    code, out, err, data = middle.finish()
    check_failed(code, out, err)
    assert "replaced" in err or "exec" in err, err
    assert pattern(1, 1)[:16] not in data, "bytes of the other program"


def next_pid(pid):
    with open("/proc/sys/kernel/ns_last_pid", "w") as file:
        file.write(str(pid - 1))


def test_reused_pid(pidmem, victim, tmp_path, need_root):
    if not os.path.exists("/proc/sys/kernel/ns_last_pid"):
        pytest.skip("the next PID cannot be chosen (kernel without CONFIG_CHECKPOINT_RESTORE)")
    one = victim("leave", SIZE)
    middle = Middle(pidmem, one.pid, tmp_path)
    one.tell("exit")
    one.process.wait(20)
    other = None
    for _ in range(50):  # any process of the machine may snatch the number
        next_pid(one.pid)
        other = victim("plain")
        if other.pid == one.pid:
            break
    else:
        pytest.skip("the PID could not be had again in 50 attempts")
    code, out, err, data = middle.finish()
    check_failed(code, out, err)
    assert pattern(1, 1)[:16] not in data, "bytes of another process with the same PID"
    assert other.end() == 0


@pytest.mark.parametrize("how", ["exit", "exec"])
@pytest.mark.parametrize("old", [None, b"precious"], ids=["new", "force"])
def test_nothing_is_left_when_the_target_leaves(pidmem, victim, tmp_path, how, old):
    """Not even with --force is an older dump lost for one that fails."""
    one, process, folder = stopped_while_writing(pidmem, victim, tmp_path, "--consistency=live",
                                                 *(["--force"] if old else []), old=old)
    one.tell(f"exec {TARGETS}/plain" if how == "exec" else "exit")
    one.listen() if how == "exec" else one.process.wait(20)
    os.kill(process.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=20)
    check_failed(process.returncode, out, err.decode())
    assert sorted(os.listdir(folder)) == (["d", "d.index"] if old else [])
    assert not old or {(folder / name).read_bytes() for name in ("d", "d.index")} == {old}


@pytest.mark.parametrize("command", ["maps", "dump", "read"])
def test_zombie(pidmem, victim, tmp_path, command):
    one = victim("ended")
    result = pidmem.fails(command, one.zombie, *(["400000"] if command == "read" else []), cwd=tmp_path)
    assert "zombie" in result.err and str(one.zombie) in result.err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("command", ["maps", "dump", "read"])
def test_thread_id(pidmem, victim, tmp_path, command):
    one = victim("plain")
    assert one.tid != one.pid
    result = pidmem.fails(command, one.tid, *(["400000"] if command == "read" else []), cwd=tmp_path)
    assert "thread" in result.err and str(one.pid) in result.err
    assert os.listdir(tmp_path) == []


def test_zombie_leader_whose_threads_live_on(pidmem, victim, tmp_path):
    """/proc/PID/mem gives nothing any more, but the memory is there: through another thread."""
    one = victim("ended")
    while open(f"/proc/{one.headless}/stat").read().rsplit(")", 1)[1].split()[0] != "Z":
        time.sleep(0)
    _, dump = take(pidmem, one.headless, tmp_path)
    with dump:
        assert dump.read(one.region, 2 * PAGE) == pattern(2, 28)
    thread = [tid for tid in os.listdir(f"/proc/{one.headless}/task") if int(tid) != one.headless][0]
    expected = sum(region.size for region in oracle.regions(f"{one.headless}/task/{thread}"))
    account = pidmem("read", "-j", one.headless, f"{one.region:x}", "16").json["account"]
    assert account["read"] == 16
    assert sum(record.size for record in dump.records) == expected
    assert len(pidmem("maps", "-j", one.headless).json["regions"]) > 5


def test_no_such_process(pidmem, tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    result = pidmem.fails("dump", ended.pid, cwd=tmp_path)
    assert "no process" in result.err and str(ended.pid) in result.err


def test_process_that_ends_at_once_is_never_half_told(pidmem, victim, tmp_path):
    """Many short races: each ends in a whole dump or in a clean failure."""
    for attempt in range(20):
        one = victim("leave", 4)
        process = pidmem.start("dump", *(["--consistency=live"] if attempt % 2 else []), "-o", tmp_path / f"d{attempt}", one.pid)
        time.sleep(0.001 * attempt)  # no synchronisation: any moment must do
        one.tell("exit")
        process.communicate(timeout=20)
        left = {entry.name for entry in tmp_path.iterdir() if entry.name.startswith(f"d{attempt}")}
        assert process.returncode in (0, 2)
        assert left == ({f"d{attempt}", f"d{attempt}.index"} if process.returncode == 0 else set())
