# SPDX-License-Identifier: LGPL-2.1-or-later
"""Interrupting pidmem while it copies a process that runs: nothing is left, in the directory and in the process."""

import os
import re
import signal
import time

import pytest
from conftest import TARGETS, can
from core_reader import Core
from engines import given
from freezing import Marked, changed, chance, held_back, portrait_at_rest, rounds, wait_until
from middle import written

SIZE = 128  # MiB
PROGRESS = re.compile(r" *\d+%  [\d.]+ [KMG]?i?B of [\d.]+ [KMG]?i?B, [\d.]+ [KMG]?i?B/s(, [\d mins]+ left)?")
# With the launcher it is a file system without O_TMPFILE: what is being written has a temporary name.
KERNELS = pytest.mark.parametrize("before", [[], [TARGETS / "oldkernel", "--named"]], ids=["unnamed", "named"])


@pytest.fixture
def target(victim):
    can("precopy")
    return victim("leave", SIZE)


def wait_for_bytes(process, wanted):
    while process.poll() is None and written(process.pid) < wanted:
        time.sleep(0)


@KERNELS
@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", ["core", "dump"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_at_any_moment(pidmem, target, tmp_path, before, command, number):
    moments = chance("test_interrupt_at_any_moment")
    portrait = portrait_at_rest(target.pid)
    marked = Marked()
    interrupted = 0
    for done in range(60):
        if interrupted and done >= rounds(6):
            break
        process = pidmem.start(command, *given("precopy"), "--progress=always", "-o", "f", target.pid, cwd=tmp_path,
                               before=before, env=marked.env)
        wait_for_bytes(process, moments.randrange(1, SIZE << 20))
        names = os.listdir(tmp_path)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        if process.returncode == 0:  # it was done
            for file in tmp_path.iterdir():
                file.unlink()
            continue
        *shown, last = err.decode().splitlines()
        assert (process.returncode, out) == (2, b"") and os.listdir(tmp_path) == [], err
        assert last == f"pidmem: interrupted by {number.name}: nothing is left behind", err
        assert all(PROGRESS.fullmatch(line) for line in shown), err
        assert len(names) == len(before and ["one"]) and all(name.startswith(".pidmem.") for name in names), names
        assert marked.left() == [] and held_back(target.pid) == [] and changed(target.pid, portrait) == {}
        interrupted += 1
    assert interrupted, "it was never interrupted"


@KERNELS
def test_without_a_signal(pidmem, target, tmp_path, before):
    """The launcher and the progress hinder nothing."""
    result = pidmem("core", "-j", *given("precopy"), "--progress=always", "-o", "c", target.pid, cwd=tmp_path,
                    before=before)
    assert result.code == 0 and os.listdir(tmp_path) == ["c"], result
    shown = result.err.splitlines()
    assert shown and all(PROGRESS.fullmatch(line) for line in shown), result
    with Core(tmp_path / "c") as core:
        assert core.check() == []


def test_rate_is_that_of_the_whole(pidmem, target, tmp_path):
    """With what was copied before the stop there is hardly anything left to write after it."""
    began = time.monotonic()
    text = pidmem("core", *given("precopy"), "-o", "c", target.pid, cwd=tmp_path).text
    least = SIZE / 1024 / (time.monotonic() - began)
    number, unit = re.search(r"([\d.]+) ([KMG]iB)/s", text).groups()
    rate = float(number) / {"KiB": 1 << 20, "MiB": 1 << 10, "GiB": 1}[unit]
    elapsed, unit = re.search(r"([\d.]+) (ms|s) in all", text).groups()
    seconds = float(elapsed) / {"ms": 1000, "s": 1}[unit]
    assert least * 0.9 < rate and rate * seconds == pytest.approx(SIZE / 1024, rel=0.1), text
