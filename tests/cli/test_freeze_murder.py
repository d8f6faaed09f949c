# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGKILL at any moment, of pidmem, its helper, the target and the copy: the target is not harmed, nothing is left."""

import os
import shutil
import signal
import time

import pytest
from conftest import TARGETS
from core_reader import Core
from engines import given
from freezing import (Held, Marked, Moments, Workers, children, held_back, kill, rounds, start_victim, state, stat,
                      status, tasks, tracked, wait_until)


def measured(pidmem, pid, folder, *args, **options):
    """How long a whole run takes: random moments are spread over it, and a little beyond."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        result = pidmem("core", "--force", "-o", folder / "measured", *args, pid, **options)
        times.append(time.perf_counter() - begun)
        assert result.code == 0, result
    (folder / "measured").unlink()
    return sorted(times)[2] * 1.2


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name,times", [("waits", 60), ("signals", 50), ("busy", 50), ("storm", 20)])
def test_pidmem_is_killed(pidmem, victim, tmp_path, name, way, times):
    """200 times with each engine. Each time nothing stays stopped or traced, no copy and no helper survives, nothing is
    tracked any more, no file is there."""
    if way == "stopped" and name != "waits":
        pytest.skip("of the stop alone, one victim tells enough")
    one = victim(name)
    worker = Workers(one)
    marked = Marked()
    moments = Moments(f"{name} {way}", measured(pidmem, one.pid, tmp_path, *given(way)))
    unfinished = 0
    for i in range(times):
        if unfinished and i >= rounds(times // 3 if way == "stopped" else times):
            break
        process = pidmem.start("core", *given(way), "-o", tmp_path / "core", one.pid, env=marked.env)
        moments.wait()
        kill(process.pid)
        process.communicate()
        wait_until(marked.left)
        if name == "busy":  # it has a child of its own, which is never traced
            wait_until(lambda: [c for c in children(one.pid) if state(c) in "tTZ"])
            wait_until(held_back, one.pid, children(one.pid))
        else:
            wait_until(held_back, one.pid)
        moments.was(too_late=process.returncode != -signal.SIGKILL)
        unfinished += process.returncode == -signal.SIGKILL
        for file in os.listdir(tmp_path):
            assert file == "core", f"{file} is left"
            with Core(tmp_path / file) as core:
                assert core.check() == []
            os.unlink(tmp_path / file)
    assert unfinished > 0, "it was never killed in the middle: nothing was proved"
    worker.progress()


@pytest.mark.timeout(900)
def test_the_target_is_killed(pidmem, tmp_path, way):
    """100 times each: a clean failure without a file, or a whole core. Nothing of the target remains, nor of a copy."""
    marked = Marked()
    environment = {**os.environ, **marked.env}
    first = start_victim("leave", 4, env=environment)
    try:
        moments = Moments(f"target {way}", measured(pidmem, first.pid, tmp_path, *given(way)))
    finally:
        first.end()
    codes = {}
    for _ in range(rounds(100)):
        one = start_victim("leave", 4, env=environment)
        try:
            process = pidmem.start("core", *given(way), "-o", tmp_path / "core", one.pid)
            moments.wait()
            kill(one.pid)
            _, err = process.communicate(timeout=60)
        finally:
            one.end()
        code = process.returncode
        codes[code] = codes.get(code, 0) + 1
        moments.was(too_late=code == 0)
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


def kill_between_stops(helper, target):
    """Held still for a moment, it is killed if it has not stopped the target just now."""
    while state(helper) not in "XZ":
        try:
            os.kill(helper, signal.SIGSTOP)
        except ProcessLookupError:  # it has ended just now
            return None
        wait_until(lambda: [] if state(helper) in "TXZ" else "the helper runs")
        if status(target)["TracerPid"] == "0":
            return kill(helper)
        os.kill(helper, signal.SIGCONT)
    return None


@pytest.mark.timeout(300)
def test_the_helper_is_killed_at_any_moment(pidmem, victim, tmp_path, engine):
    """A whole core or a clean failure; the target goes on, and nothing of it is tracked when pidmem has ended. Not within a
    stop: killed in the middle of an injected call the helper leaves the target with the registers of that."""
    one = victim("leave", 32)
    moments = Moments(f"helper {engine}", measured(pidmem, one.pid, tmp_path, *given(engine)) / 3)
    failed = 0
    for i in range(40):
        if failed and i >= rounds(40):
            break
        process = pidmem.start("core", *given(engine), "-o", tmp_path / "core", one.pid)
        while process.poll() is None and not children(process.pid):
            pass
        if i % 2:
            moments.wait()
        for helper in children(process.pid):
            kill_between_stops(helper, one.pid)
        _, err = process.communicate(timeout=60)
        assert process.returncode in (0, 2), err
        assert os.listdir(tmp_path) == (["core"] if process.returncode == 0 else []), err
        failed += process.returncode == 2
        if process.returncode == 0:
            os.unlink(tmp_path / "core")
        wait_until(lambda: [child for child in children(one.pid) if state(child) != "Z"])
        wait_until(lambda: [said for said in held_back(one.pid, children(one.pid))])
    assert failed, "it was never killed in time"
    assert pidmem("core", "-o", "/dev/null", one.pid).code == 0  # which has copies waited for that nobody could
    wait_until(held_back, one.pid)


def test_the_copy_is_killed_and_there_is_no_file(pidmem, victim, tmp_path):
    one = victim("waits")
    worker = Workers(one)
    failed = done = 0
    while done < rounds(20) or (failed == 0 and done < 200):
        process = pidmem.start("core", "--engine=clone", "-o", tmp_path / "core", one.pid)
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
        done += 1
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


def test_the_tests_see_tracking(victim, tmp_path):
    """A userfaultfd that is left is found: here that of a victim, under a name that the tests do not know."""
    shutil.copy(TARGETS / "uffd", tmp_path / "other")
    said = tracked(victim("other", binary=tmp_path / "other").pid)
    assert len(said) == 2 and "is a userfaultfd" in said[0] and "registered" in said[1], said
