# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nothing disturbed: what a target does comes out as if nobody had stopped it, and nothing of it is changed."""

import fcntl
import os
import signal
import socket
import subprocess
import threading

import pytest
from conftest import TARGETS
from core_reader import Core
from engines import given
from freezing import (Held, Marked, Workers, build32, changed, children, held_back, portrait, portrait_at_rest, rounds,
                      save, start_victim, state, status, tasks, wait_until)

def freeze_all(pidmem, victims, folder, times, engine):
    """So many saves, of one victim after the other, with an engine or now and then stopped."""
    ways = [("core", engine), ("dump", engine), ("core", engine), ("core", "stopped")]
    for i in range(times):
        command, way = ways[i // len(victims) % len(ways)]
        one = victims[i % len(victims)]
        _, file = save(pidmem, one.pid, folder / "file", command=command, way=way)
        file.close()


def watched(pidmem, victims, folder, times, engine):
    """The same, and then each thread of each victim has gone on and found nothing wrong."""
    workers = [Workers(one) for one in victims]
    before = [children(one.pid) for one in victims]
    freeze_all(pidmem, victims, folder, times, engine)
    for one, worker, had in zip(victims, workers, before):
        worker.progress()
        # The victim `busy` has children of its own, that live a moment.
        wait_until(lambda one=one, had=had: [c for c in children(one.pid) - had if one.name != "busy"])
        wait_until(lambda one=one: status(one.pid)["TracerPid"] != "0")


@pytest.mark.timeout(900)
def test_waits_signals_and_calls(pidmem, victim, tmp_path, engine):
    victims = [victim(name) for name in ("waits", "signals", "busy")]
    for one, name in zip(victims, ("waits", "signals", "busy")):
        one.facts["name"] = name
    watched(pidmem, victims, tmp_path, rounds(150), engine)


@pytest.mark.timeout(300)
def test_32_bit(pidmem, victim, tmp_path, engine):
    victims = []
    for name in "waits", "signals", "busy":
        victims.append(victim(name, binary=build32(tmp_path, name)))
        victims[-1].facts["name"] = name
    watched(pidmem, victims, tmp_path, rounds(45), engine)


@pytest.mark.timeout(300)
def test_thread_storm(pidmem, victim, tmp_path, engine):
    one = victim("storm")
    one.facts["name"] = "storm"
    watched(pidmem, [one], tmp_path, rounds(40), engine)


@pytest.mark.timeout(300)
def test_ordinary_user(pidmem, victim, user_dir, as_user, engine):
    """Without any privilege."""
    one = victim("waits", user=as_user)
    worker = Workers(one)
    for _ in range(rounds(15)):
        _, core = save(pidmem, one.pid, user_dir / "core", way=engine, user=as_user)
        core.close()
    worker.progress()
    wait_until(held_back, one.pid)


def test_restartable_sequences(pidmem, victim, tmp_path, engine):
    """Every thread is in one nearly all the time, so a call must be injected beside them. No count is lost."""
    one = victim("rseq")
    for _ in range(rounds(60)):
        _, core = save(pidmem, one.pid, tmp_path / "core", way=engine)
        core.close()
    one.process.stdin.write(b"?\n")
    one.process.stdin.flush()
    counted, added = one.line().split()
    assert counted == added and int(added) > 1000, "counts were lost: a sequence went on after an interruption"


@pytest.mark.parametrize("name", ["plain", "kinds", "untouched", "lacking"])
def test_nothing_changes(pidmem, victim, tmp_path, name, way):
    """Memory, page tables, signals, limits, files, children: all as before."""
    one = victim(name)
    before = portrait_at_rest(one.pid)
    for command in "core", "dump":
        _, file = save(pidmem, one.pid, tmp_path / "file", command=command, way=way)
        file.close()
        wait_until(changed, one.pid, before)


def stays_stopped(one, save_it):
    """A target in state T is in state T afterwards, and goes on by SIGCONT."""
    worker = Workers(one)
    one.stop()
    before = portrait(one.pid)
    save_it()
    wait_until(changed, one.pid, before)
    # Let go of by who was killed, each thread takes a moment to find out that it is to stay.
    wait_until(lambda: {state(one.pid, tid) for tid in tasks(one.pid)} - {"T"})
    one.resume()
    os.waitid(os.P_PID, one.pid, os.WCONTINUED)
    worker.progress()


def test_stopped_stays_stopped(pidmem, victim, tmp_path, way):
    one = victim("waits")
    stays_stopped(one, lambda: save(pidmem, one.pid, tmp_path / "core", way=way)[1].close())


@pytest.mark.parametrize("consistency", ["snapshot", "stopped"])
def test_stopped_stays_stopped_without_pidmem(pidmem, victim, consistency):
    """It is killed in the middle."""
    one = victim("waits")

    def held_and_killed():
        held = Held(pidmem, one.pid, f"--consistency={consistency}")
        held.process.kill()
        held.process.communicate()

    stays_stopped(one, held_and_killed)


def test_sigstop_and_sigcont_meanwhile(pidmem, victim):
    """SIGSTOP and SIGCONT while the target is held are neither lost nor made up."""
    one = victim("waits")
    worker = Workers(one)
    for first in "snapshot", "stopped":
        held = Held(pidmem, one.pid, f"--consistency={first}")
        os.kill(one.pid, signal.SIGSTOP)
        assert held.finish()[0] == 0
        wait_until(lambda: [tid for tid in tasks(one.pid) if state(one.pid, tid) != "T"])
        wait_until(lambda: status(one.pid)["TracerPid"] != "0")
        one.resume()
        worker.progress()
    one.stop()
    held = Held(pidmem, one.pid, "--consistency=stopped")
    one.resume()
    assert held.finish()[0] == 0
    worker.progress()


def test_sigstop_while_the_copy_is_waited_for(pidmem, victim):
    """The stop for that meets threads that are about to take SIGSTOP, and the other way round."""
    one = victim("waits")
    worker = Workers(one)
    for _ in range(rounds(40)):
        held = Held(pidmem, one.pid, "--consistency=snapshot")
        os.kill(one.pid, signal.SIGSTOP)
        assert held.finish()[0] == 0
        one.resume()
    worker.progress()


def test_stops_in_a_row(pidmem, victim, tmp_path, engine):
    """SIGSTOP and SIGCONT all the time, from somebody else: no stop remains."""
    one = victim("waits")
    worker = Workers(one)
    done = threading.Event()

    def nudge():
        while not done.is_set():
            os.kill(one.pid, signal.SIGSTOP)
            os.kill(one.pid, signal.SIGCONT)
            done.wait(0.003)

    thread = threading.Thread(target=nudge)
    thread.start()
    try:
        for _ in range(rounds(15)):
            _, core = save(pidmem, one.pid, tmp_path / "core", way=engine)
            core.close()
    finally:
        done.set()
        thread.join()
    worker.progress()
    wait_until(held_back, one.pid)


def test_a_shell_and_its_children(pidmem, tmp_path, engine):
    """A shell that waits for its jobs gets their exit statuses, and hears of no other child."""
    script = """
        echo ready
        right=0 wrong=0 i=0
        while ! read -t 0.001 line; do
            i=$(((i + 1) % 50))
            (exit $i) & one=$!
            (sleep 0.003; exit 7) & two=$!
            wait $one; [ $? = $i ] && right=$((right + 1)) || wrong=$((wrong + 1))
            wait $two; [ $? = 7 ] && right=$((right + 1)) || wrong=$((wrong + 1))
        done
        echo "$right $wrong"
    """
    shell = subprocess.Popen(["bash", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
    try:
        assert shell.stdout.readline() == "ready\n"
        for _ in range(rounds(30)):
            _, core = save(pidmem, shell.pid, tmp_path / "core", way=engine)
            core.close()
        out, _ = shell.communicate("end\n", timeout=20)
    finally:
        shell.kill()
        shell.communicate()
    right, wrong = map(int, out.splitlines()[-1].split())
    assert wrong == 0 and right > 0 and len(out.splitlines()) == 1, out


def locked(path, start, kind=fcntl.LOCK_EX):
    """Does somebody else hold a lock there?"""
    with open(path, "r+b") as file:
        try:
            if start is None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                fcntl.lockf(file, kind | fcntl.LOCK_NB, 5, start)
            return False
        except BlockingIOError:
            return True


def test_files_and_locks(pidmem, victim, tmp_path):
    """A copy holds no file open: what the target closes meanwhile is closed at once, and its locks are its own."""
    listening = socket.socket(socket.AF_UNIX)
    with listening:
        listening.bind(str(tmp_path / "socket"))
        listening.listen()
        one = victim("awkward", "held", tmp_path / "socket", tmp_path / "file")
        peer, _ = listening.accept()
    with peer:
        peer.settimeout(20)
        held = Held(pidmem, one.pid)
        assert [locked(tmp_path / "file", start) for start in (0, 10, None)] == [True] * 3
        assert one.ask("close") == "closed", "the copy holds the other end of a pipe"
        assert peer.recv(1) == b"", "the copy holds the socket"
        assert held.process.poll() is None
        assert held.finish()[0] == 0
    assert [locked(tmp_path / "file", start) for start in (0, 10, None)] == [True] * 3
    one.end()
    assert [locked(tmp_path / "file", start) for start in (0, 10, None)] == [False] * 3


def test_the_copy_is_harmless(pidmem, victim):
    """While it is there: a child that never runs, without files, first to go when memory is short."""
    one = victim("plain")
    held = Held(pidmem, one.pid)
    copy, = children(one.pid)
    seen = status(copy)
    assert seen["State"][0] == "t" and seen["Threads"] == "1" and seen["TracerPid"] != "0", seen
    assert os.listdir(f"/proc/{copy}/fd") == []
    assert int(open(f"/proc/{copy}/oom_score_adj").read()) == 1000
    assert int(open(f"/proc/{one.pid}/oom_score_adj").read()) == 0
    assert status(one.pid)["TracerPid"] == "0"
    assert held.finish()[0] == 0
    wait_until(held_back, one.pid)


@pytest.mark.parametrize("consistency", ["snapshot", "stopped"])
@pytest.mark.parametrize("how", ["exit", "exec"])
def test_target_leaves_while_it_is_saved(pidmem, victim, tmp_path, how, consistency):
    """A snapshot is whole even then; a stopped target leaves when it is let go."""
    marked = Marked()
    one = victim("leave", 64, env={**os.environ, **marked.env})
    held = Held(pidmem, one.pid, f"--consistency={consistency}")
    one.tell(f"exec {TARGETS}/plain" if how == "exec" else "exit")
    if consistency == "snapshot":
        one.listen() if how == "exec" else os.waitid(os.P_PID, one.pid, os.WEXITED | os.WNOWAIT)
    code, data, err = held.finish()
    assert code == 0, err
    (tmp_path / "core").write_bytes(data)
    with Core(tmp_path / "core") as core:
        assert core.check() == []
        assert core.read(one.region, 16) == b"001b:0000000000\n"
        assert core.read(one.region + (64 << 20) - 4096, 16) == b"001b:0000003fff\n"
    if consistency == "stopped":
        one.listen() if how == "exec" else one.process.wait(20)
    if how == "exec":
        wait_until(held_back, one.pid)
    wait_until(marked.left, [one.pid])
    assert one.end() == 0


def test_end_and_exec_at_any_moment(pidmem, tmp_path, engine):
    """Short races: each ends with a whole core or with a clean failure, and leaves nothing."""
    marked = Marked()
    for i in range(rounds(16)):
        one = start_victim("leave", 4, env={**os.environ, **marked.env})
        folder = tmp_path / str(i)
        folder.mkdir()
        process = pidmem.start("core", *given(engine), "-o", folder / "core", one.pid)
        try:
            # No synchronisation: any moment must do.
            subprocess.run(["sleep", str(0.002 * (i // 2))], check=True)
            one.tell(f"exec {TARGETS}/plain" if i % 2 else "exit")
            _, err = process.communicate(timeout=60)
            assert process.returncode in (0, 2), err
            assert os.listdir(folder) == (["core"] if process.returncode == 0 else []), err
            assert process.returncode == 0 or err.startswith(b"pidmem: "), err
            if process.returncode == 0:
                with Core(folder / "core") as core:
                    assert core.check() == []
        finally:
            one.end()
    wait_until(marked.left)
