# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGKILL at any moment, of pidmem, its helper, the target and the copy: the target is not harmed, nothing is left."""

import os
import signal
import time

import pytest
from core_reader import Core
from freezing import (Held, Marked, Workers, chance, children, held_back, kill, rounds, start_victim, state, stat,
                      tasks, wait_until)


def measured(pidmem, pid, folder, *args, **options):
    """How long a whole run takes: random moments are spread over it, and a little beyond."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        result = pidmem("core", "--force", "-o", folder / "measured", *args, pid, **options)
        times.append(time.perf_counter() - begun)
        assert result.code == 0, result
    (folder / "measured").unlink()
    return max(times) * 1.1


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name,consistency,times", [("waits", "snapshot", 60), ("signals", "snapshot", 50),
                                                    ("busy", "snapshot", 50), ("storm", "snapshot", 20),
                                                    ("waits", "stopped", 20)])
def test_pidmem_is_killed(pidmem, victim, tmp_path, name, consistency, times):
    """200 times in all. Each time nothing stays stopped or traced, no copy and no helper survives, no file is there."""
    one = victim(name)
    worker = Workers(one)
    marked = Marked()
    given = f"--consistency={consistency}"
    longest = measured(pidmem, one.pid, tmp_path, given)
    moments = chance(f"{name} {consistency}")
    unfinished = 0
    for _ in range(rounds(times)):
        process = pidmem.start("core", given, "-o", tmp_path / "core", one.pid, env=marked.env)
        time.sleep(moments.uniform(0, longest))  # any moment must do
        kill(process.pid)
        process.communicate()
        wait_until(marked.left)
        if name == "busy":  # it has a child of its own, which is never traced
            wait_until(lambda: [c for c in children(one.pid) if state(c) in "tTZ"])
            wait_until(held_back, one.pid, children(one.pid))
        else:
            wait_until(held_back, one.pid)
        if process.returncode == -signal.SIGKILL:
            unfinished += 1
        for file in os.listdir(tmp_path):
            assert file == "core", f"{file} is left"
            with Core(tmp_path / file) as core:
                assert core.check() == []
            os.unlink(tmp_path / file)
    assert unfinished > 0, "it was never killed in the middle: nothing was proved"
    worker.progress()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("consistency", ["snapshot", "stopped"])
def test_the_target_is_killed(pidmem, tmp_path, consistency):
    """200 times: a clean failure without a file, or a whole core. Nothing of the target remains, its copy included."""
    marked = Marked()
    environment = {**os.environ, **marked.env}
    first = start_victim("leave", 4, env=environment)
    given = f"--consistency={consistency}"
    try:
        longest = measured(pidmem, first.pid, tmp_path, given)
    finally:
        first.end()
    moments = chance(f"target {consistency}")
    codes = {}
    for _ in range(rounds(100)):
        one = start_victim("leave", 4, env=environment)
        try:
            process = pidmem.start("core", given, "-o", tmp_path / "core", one.pid)
            time.sleep(moments.uniform(0, longest))
            kill(one.pid)
            _, err = process.communicate(timeout=60)
        finally:
            one.end()
        code = process.returncode
        codes[code] = codes.get(code, 0) + 1
        assert code in (0, 2), err
        assert os.listdir(tmp_path) == (["core"] if code == 0 else []), err
        if code == 2:
            assert err.startswith(b"pidmem: ") and err.count(b"pidmem: ") == 1, err
        else:
            with Core(tmp_path / "core") as core:
                assert core.check() == []
                assert core.read(one.region + (4 << 20) - 4096, 16) == b"001b:00000003ff\n"
            os.unlink(tmp_path / "core")
    assert codes.get(2), f"it was never killed in the middle: {codes}"
    wait_until(marked.left)


def test_the_copy_is_killed(pidmem, victim):
    """A clear error, and nothing is left. (The kernel does that when memory is short: its oom_score_adj is 1000.)"""
    one = victim("leave", 64)
    held = Held(pidmem, one.pid)
    copy, = children(one.pid)
    kill(copy)
    wait_until(lambda: state(copy) != "Z" and f"the copy is {state(copy)}")
    code, _, err = held.finish()
    assert code == 2, err
    assert err.startswith("pidmem: ") and "copy" in err and len(err.splitlines()) <= 2, err
    wait_until(held_back, one.pid)


def test_the_copy_is_killed_and_there_is_no_file(pidmem, victim, tmp_path):
    one = victim("waits")
    worker = Workers(one)
    failed = 0
    for _ in range(rounds(20)):
        process = pidmem.start("core", "-o", tmp_path / "core", one.pid)
        while process.poll() is None and not (copies := children(one.pid)):
            pass
        for copy in copies:
            kill(copy)
        _, err = process.communicate(timeout=60)
        assert process.returncode in (0, 2), err
        assert os.listdir(tmp_path) == (["core"] if process.returncode == 0 else []), err
        if process.returncode == 0:
            os.unlink(tmp_path / "core")
        failed += process.returncode == 2
        wait_until(held_back, one.pid)
    assert failed, "the copy was never killed in time"
    worker.progress()


@pytest.mark.parametrize("consistency", ["snapshot", "stopped"])
def test_the_helper_is_killed(pidmem, victim, consistency):
    """The helper process holds the stop. Without it the view is no longer what was promised: an error, nothing left."""
    one = victim("waits")
    worker = Workers(one)
    held = Held(pidmem, one.pid, f"--consistency={consistency}")
    for helper in children(held.process.pid):
        kill(helper)
    code, _, err = held.finish()
    assert code == 2, err
    assert err.startswith("pidmem: "), err
    wait_until(lambda: [tid for tid in tasks(one.pid) if state(one.pid, tid) in "tT"])
    # Nobody can have the copy waited for now, but the next run does.
    wait_until(lambda: [child for child in children(one.pid) if state(child) != "Z"])
    assert pidmem("core", "-o", "/dev/null", one.pid).code == 0
    wait_until(held_back, one.pid)
    worker.progress()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_interrupted(pidmem, victim, tmp_path, number):
    """A signal that can be caught ends it at once, cleanly, and the file goes."""
    one = victim("waits")
    worker = Workers(one)
    marked = Marked()
    for consistency in "snapshot", "stopped":
        fifo = tmp_path / consistency
        os.mkfifo(fifo)
        process = pidmem.start("core", f"--consistency={consistency}", "-o", fifo, one.pid, env=marked.env)
        with open(fifo, "rb", buffering=0) as stream:
            assert stream.read(4096)
            process.send_signal(number)
            process.communicate(timeout=60)
            assert process.returncode != 0
        wait_until(marked.left)
        wait_until(held_back, one.pid)
    assert sorted(os.listdir(tmp_path)) == ["snapshot", "stopped"]
    worker.progress()


def test_a_whole_process_group_is_interrupted(pidmem, victim):
    """Ctrl-C goes to the helper as well: it does its duty first."""
    one = victim("leave", 64)
    marked = Marked()
    held = Held(pidmem, one.pid, env=marked.env, start_new_session=True)
    os.killpg(held.process.pid, signal.SIGINT)
    code, data, _ = held.finish()
    assert code != 0 and len(data) < 64 << 20
    wait_until(marked.left)
    wait_until(held_back, one.pid)


def test_the_reader_goes_away(pidmem, victim):
    """`pidmem core -o - PID | head`: it ends, and the target goes on."""
    one = victim("waits")
    worker = Workers(one)
    held = Held(pidmem, one.pid)
    held.process.stdout.close()
    held.process.wait(20)
    assert held.process.returncode != 0
    held.process.stderr.close()
    wait_until(held_back, one.pid)
    worker.progress()


def test_no_room_on_the_disk(pidmem, victim, need_root):
    """The file does not fit: an error, no file, and the target goes on."""
    one = victim("leave", 64)
    result = pidmem("core", one.pid, "-o", "core", before=[
        "unshare", "-m", "sh", "-c",
        'mount -t tmpfs -o size=4m none /mnt && cd /mnt && "$@"; code=$?; ls -A; exit $code', "sh"])
    assert result.code == 2 and result.err.startswith("pidmem: "), result
    assert result.text == "", "a file is left"
    wait_until(held_back, one.pid)


def test_stopped_pidmem_holds_no_target_for_ever(pidmem, victim):
    """SIGSTOP of pidmem in the middle of a snapshot: the target runs on."""
    one = victim("waits")
    worker = Workers(one)
    held = Held(pidmem, one.pid)
    os.kill(held.process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, held.process.pid, os.WSTOPPED | os.WNOWAIT)
    worker.progress()
    os.kill(held.process.pid, signal.SIGCONT)
    assert held.finish()[0] == 0
    wait_until(held_back, one.pid)


def test_the_tests_see_a_stopped_target(pidmem, victim):
    """What held_back() looks for is there while a target is held."""
    one = victim("plain")
    held = Held(pidmem, one.pid, "--consistency=stopped")
    assert any("traced by" in said for said in held_back(one.pid)), held_back(one.pid)
    assert held.finish()[0] == 0
    held = Held(pidmem, one.pid)
    assert any("child" in said for said in held_back(one.pid)), held_back(one.pid)
    helper, = children(held.process.pid)
    assert int(stat(helper)[1]) == held.process.pid
    assert held.finish()[0] == 0
    wait_until(held_back, one.pid)
