# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long a process is held for a core of it, what pidmem waits for, and what happens meanwhile."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from core_reader import Core
from engines import ENGINES, WAYS, given
from freezing import Held, held_back, state, status, wait_until
from middle import SIZE


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("change", ["killed", "exec"])
def test_facts_are_of_the_moment(pidmem, victim, tmp_path, change, engine):
    """While the first core is written, the second process ends, or becomes another program: its core does not know."""
    first = victim("leave", 64)
    fifo = tmp_path / f"core.{first.pid}"
    os.mkfifo(fifo)
    code = ("import os\nprint('pid', os.getpid(), flush=True)\nos.read(0, 1)\n"
            "os.execv('/bin/sleep', ['sleep', '1000'])")
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as second:
        try:
            assert second.stdout.readline()
            with open(f"/proc/{second.pid}/auxv", "rb") as file:
                auxv = file.read()
            with open(f"/proc/{second.pid}/comm") as file:
                name = file.read().strip()
            process = pidmem.start("core", *given(engine), first.pid, second.pid, cwd=tmp_path)
            with open(fifo, "rb") as stream:
                assert stream.read(4096)
                if change == "killed":
                    second.kill()
                    second.wait()
                else:
                    second.stdin.write(b"x")
                    second.stdin.flush()
                    while os.readlink(f"/proc/{second.pid}/exe").startswith(os.path.realpath(sys.executable)):
                        time.sleep(0)
                while stream.read(1 << 20):
                    pass
            err = process.communicate(timeout=60)[1]
            assert process.returncode == 0, err
        finally:
            second.kill()
    with Core(tmp_path / f"core.{second.pid}") as core:
        assert core.check() == []
        assert core.note(6) == auxv  # NT_AUXV
        assert name.encode() in core.note(3)  # NT_PRPSINFO
        assert b"import os" in core.note(3)


# How long it is held.

@pytest.mark.parametrize("way", ["clone", "stopped"])
def test_each_is_let_go_when_it_has_been_read(pidmem, victim, tmp_path, way):
    """Of two, the second is still held while nobody reads its core; the first one is not any more."""
    ones = [victim("leave", 4) for _ in range(2)]
    paths = [tmp_path / f"core.{one.pid}" for one in ones]
    for path in paths:
        os.mkfifo(path)
    process = pidmem.start("core", "-j", *given(way), *[one.pid for one in ones], cwd=tmp_path)
    with open(paths[0], "rb") as stream:
        assert stream.read(4096)
        assert held_back(ones[0].pid) and held_back(ones[1].pid)
        stream.read()
    assert held_back(ones[0].pid) == []
    assert held_back(ones[1].pid)
    with open(paths[1], "rb") as stream:
        stream.read()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    reports = [json.loads(line) for line in out.splitlines()]
    assert all(report["pause_us"] <= report["elapsed_us"] for report in reports), reports


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", ["core", "dump"])
def test_the_pause_is_part_of_the_whole(pidmem, victim, tmp_path, command, way):
    """Also where a large file is replaced: that takes the file system a while."""
    one, block = victim("leave", 16), os.urandom(1 << 20)
    for _ in range(3):
        with open(tmp_path / "f", "wb") as file:
            for _ in range(64):
                file.write(block)
        (tmp_path / "f.index").touch()
        report = pidmem(command, "-j", "--force", *given(way), "-o", "f", one.pid, cwd=tmp_path).json
        assert 0 < max(report["stops_us"]) == report["pause_us"] <= report["elapsed_us"], report


def test_the_pauses_of_several_are_part_of_the_whole(pidmem, victim, tmp_path):
    """Each waits for those before it."""
    ones = [victim("leave", size) for size in (32, 1)]
    result = pidmem("core", "-j", "--consistency=stopped", *[one.pid for one in ones], cwd=tmp_path)
    first, second = [json.loads(line) for line in result.text.splitlines()]
    assert first["pause_us"] <= first["elapsed_us"] and second["pause_us"] <= second["elapsed_us"]
    assert first["elapsed_us"] < second["elapsed_us"]


# What pidmem waits for before it ends, or stops.

def is_held(pid):
    """Some tracer has its first thread."""
    return status(pid)["TracerPid"] != "0"


@pytest.mark.parametrize("command", [["core", *given("clone"), "-o", "c"], ["dump", *given("clone"), "-o", "c"],
                                     ["read", "--consistency=snapshot"]], ids=["core", "dump", "read"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_no_copy_is_there_after_an_interrupt(pidmem, victim, tmp_path, command, number):
    """When pidmem has ended, its copy has, too. The signal comes while the process stands still and all signals have to
    wait: it takes effect when there is a copy and nothing is written yet."""
    one = victim("leave", SIZE)
    name, *options = command
    address = [f"{one.region:x}", f"{SIZE}M"] if name == "read" else []
    interrupted = 0
    for _ in range(60):  # a pause may pass unseen
        process = pidmem.start(name, *options, one.pid, *address, cwd=tmp_path, stdout=subprocess.DEVNULL)
        while process.poll() is None and not is_held(one.pid):
            pass
        process.send_signal(number)
        if process.wait(20) == 0:
            for file in tmp_path.iterdir():
                file.unlink()
            continue
        assert held_back(one.pid) == [] and os.listdir(tmp_path) == []
        assert process.returncode == 2 and number.name in process.stderr.read().decode()
        interrupted += 1
        if interrupted == 4:
            return
    pytest.fail("it was hardly ever interrupted")


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU])
def test_it_does_not_stop_while_a_process_stands_still(pidmem, victim, number):
    """Ctrl-Z: first the process runs on, then pidmem stops."""
    one = victim("leave", 16)
    # A process group of its own, and not an orphaned one, in which such signals do nothing: setpgid(2).
    held = Held(pidmem, one.pid, "--consistency=stopped", process_group=0)
    held.process.send_signal(number)
    assert int(status(held.process.pid)["ShdPnd"], 16) & 1 << number - 1
    assert state(held.process.pid) == "S" and is_held(one.pid)
    os.set_blocking(held.process.stdout.fileno(), False)
    while state(held.process.pid) != "T":
        held.process.stdout.read(1 << 16)
        assert held.process.poll() is None, "it did not stop at last"
    assert held_back(one.pid) == []
    os.kill(held.process.pid, signal.SIGCONT)
    os.set_blocking(held.process.stdout.fileno(), True)
    assert held.finish()[0] == 0


def test_it_stops_beside_a_snapshot(pidmem, victim):
    one = victim("leave", 16)
    held = Held(pidmem, one.pid, process_group=0)
    held.process.send_signal(signal.SIGTSTP)
    wait_until(lambda: state(held.process.pid) != "T" and "it does not stop")
    assert not is_held(one.pid) and state(one.pid) == "S"
    os.kill(held.process.pid, signal.SIGCONT)
    assert held.finish()[0] == 0


def test_pages_of_files_stay_there(pidmem, victim, tmp_path, way):
    """Nobody has written to it: what no copy would have is saved in the pause, but does not become the process's own."""
    (tmp_path / "text").write_bytes(b"text" * 1024)
    one = victim("mapfiles", "--dontfork", tmp_path / "text")
    assert pidmem("core", *given(way), "-o", tmp_path / "core", one.pid).code == 0
    with Core(tmp_path / "core") as core:
        assert [segment.filesz for segment in core.segments if segment.start == one.file1] == [0]
