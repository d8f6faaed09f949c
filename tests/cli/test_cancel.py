# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ctrl-C at random moments of a save: nothing is left on the disk, the target works on as before."""

import os
import signal
import stat
import time

import pytest
from conftest import PAGE, TARGETS, can, pattern
from core_reader import Core
from dump_reader import Dump
from engines import WAYS, given
from freezing import Marked, Moments, Workers, children, held_back, rounds, state, wait_until
from zstd_reader import Zstd

MEMORY = 24  # MiB


def catches(pid):
    """It has got so far that SIGINT does not just end it. A launcher has the same number, and catches nothing."""
    try:
        with open(f"/proc/{pid}/status") as file:
            caught = next((line.split()[1] for line in file if line.startswith("SigCgt:")), "0")
    except OSError:
        return True
    return bool(int(caught, 16) >> signal.SIGINT - 1 & 1) or state(pid) == "Z"


def check_whole(folder, command, one):
    """What was done before the signal came."""
    for packed in folder.glob("*.zst"):
        (folder / "c").write_bytes(Zstd(packed).content())
        packed.unlink()
    for index in folder.glob("*.zst.index"):
        index.rename(folder / "c.index")
    with Core(folder / "c") if command == "core" else Dump(folder / "c") as file:
        assert file.read(one.region + 5 * PAGE, PAGE) == pattern(1, 27, first=5)
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("packed", [[], ["-z1"]], ids=["", "z"])
@pytest.mark.parametrize("command", ["core", "dump"])
def test_at_any_moment(pidmem, victim, tmp_path, command, packed):
    """100 times: in each way to hold a moment, with files that have no name until they are complete and with others."""
    one = victim("busy", tmp_path / "lock", MEMORY)
    worker, marked, folder = Workers(one), Marked(), tmp_path / "out"
    folder.mkdir()
    ways = [way for way in ["live", *WAYS] if way != "precopy" or can(way)]
    moments = {way: Moments(f"{command} {packed} {way}", 0.2) for way in ways}
    interrupted = dict.fromkeys(ways, 0)
    for number in range(400):
        if number >= rounds(100) and all(interrupted.values()):
            break
        way = ways[number % len(ways)]
        before = [TARGETS / "oldkernel", "--named"][:number // len(ways) % 2 * 2]
        process = pidmem.start(command, *given(way), *packed, "-o", "c", one.pid, cwd=folder, before=before, env=marked.env)
        while not catches(process.pid):
            time.sleep(0)
        moments[way].wait()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        moments[way].was(too_late=process.returncode == 0)
        wait_until(marked.left)
        wait_until(lambda: [child for child in children(one.pid) if state(child) in "tTZ"])
        wait_until(held_back, one.pid, children(one.pid))
        if process.returncode == 0:
            check_whole(folder, command, one)
            continue
        assert (process.returncode, out) == (2, b"") and os.listdir(folder) == [], (way, before, err)
        assert err == b"pidmem: interrupted by SIGINT: nothing is left behind\n", (way, err)
        interrupted[way] += 1
    assert all(interrupted.values()), f"some were never interrupted: {interrupted}"
    worker.progress()


@pytest.mark.parametrize("packed", [[], ["-z1"]], ids=["", "z"])
@pytest.mark.parametrize("command", ["core", "dump"])
def test_what_was_there_is_kept(pidmem, victim, tmp_path, command, packed):
    """--force replaces a file when the new one is complete, and not before."""
    one, old = victim("leave", MEMORY), {}
    moments = Moments(f"force {command}", 0.2)
    for name in ("c", "c.index", "c.zst", "c.zst.index"):
        (tmp_path / name).write_bytes(b"precious")
    for _ in range(rounds(20)):
        old = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
        process = pidmem.start(command, "--force", *packed, "-o", "c", one.pid, cwd=tmp_path)
        while not catches(process.pid):
            time.sleep(0)
        moments.wait()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        moments.was(too_late=process.returncode == 0)
        now = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
        assert now.keys() == old.keys()
        assert process.returncode == 0 or (process.returncode == 2 and now == old)


def test_slow_reader(pidmem, victim, tmp_path):
    """A pipe that is emptied a little at a time: every byte comes, in order."""
    one = victim("leave", 8)
    assert pidmem("dump", "--consistency=live", "-o", tmp_path / "d", one.pid).code == 0
    os.mkfifo(tmp_path / "fifo")
    process = pidmem.start("dump", "--consistency=live", "-o", tmp_path / "fifo", one.pid)
    got, sizes = [], iter(range(1, 1 << 30, 7))
    with open(tmp_path / "fifo", "rb", buffering=0) as stream:
        while chunk := stream.read(next(sizes) % 40000 + 1):
            got.append(chunk)
    assert process.wait(20) == 0
    # What takes no room in the file does not in the pipe either, and nobody has woken the target between the two.
    assert b"".join(got) == (tmp_path / "d").read_bytes()


@pytest.mark.parametrize("command", ["core", "dump"])
def test_reader_that_goes_at_any_moment(pidmem, victim, tmp_path, command):
    one = victim("noise", 16)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for packed in ([], ["-z1"]):
        for taken in [1, 4095, 65536, 65537, 5 << 20][:rounds(5)]:
            process = pidmem.start(command, *packed, "-o", fifo, one.pid)
            with open(fifo, "rb") as stream:
                assert len(stream.read(taken)) == taken
            out, err = process.communicate(timeout=20)
            assert (process.returncode, out) == (2, b"") and b"the reader of the pipe has gone" in err, err
            assert os.listdir(tmp_path) == ["fifo"] and stat.S_ISFIFO(fifo.stat().st_mode)
