# SPDX-License-Identifier: LGPL-2.1-or-later
"""--max-size, --max-time, --partial, --rate, --nice, and the room on the disk."""

import os
import pty
import re
import signal
import time

import pytest
from conftest import can, check_account
from core_reader import Core
from core_saving import check_core, stops
from dump_reader import Dump
from middle import SIZE, catch
from zstd_reader import Zstd

MIB = 1 << 20


@pytest.fixture
def noise(victim):
    return victim("noise", 24)


def told_of_limit(report):
    """The bytes that are missing, of which the account tells."""
    check_account(report["account"])
    missing = [hole for hole in report["holes"] if hole["why"] == "limit"]
    assert missing and all(hole["class"] == "unreadable" for hole in missing), report
    size = sum(int(hole["end"], 16) - int(hole["start"], 16) for hole in missing)
    assert size == report["account"]["unreadable"], report
    return missing, size


@pytest.mark.parametrize("packed", [[], ["-z1"]], ids=["", "z"])
@pytest.mark.parametrize("command", ["core", "dump"])
@pytest.mark.parametrize("limit", ["1", "100K", "10M", "20M"])
def test_too_large(pidmem, noise, tmp_path, command, packed, limit):
    for name in ([], ["-o", "c"], ["--split", "parts"][:2 * (command == "dump")]):
        err = pidmem.fails(command, *packed, f"--max-size={limit}", *name, noise.pid, cwd=tmp_path).err
        assert "that were allowed" in err and os.listdir(tmp_path) == [], err


@pytest.mark.parametrize("packed", [[], ["-z1"]], ids=["", "z"])
@pytest.mark.parametrize("command", ["core", "dump"])
def test_large_enough(pidmem, noise, tmp_path, command, packed):
    result = pidmem(command, "-j", *packed, "--partial", "--max-size=40M", "--max-time=100", "-o", "c", noise.pid,
                    cwd=tmp_path)
    assert result.code == 0, result
    size = result.json["size"]["on_disk"]
    assert pidmem(command, "--force", *packed, f"--max-size={size}", "-o", "c", noise.pid, cwd=tmp_path).code == 0
    pidmem.fails(command, "--force", *packed, f"--max-size={size - (1 << 20)}", "-o", "c", noise.pid, cwd=tmp_path)


@pytest.mark.parametrize("limit", [1 << 20, 10 << 20, 20 << 20])
def test_partial_core(pidmem, noise, tmp_path, limit):
    whole = pidmem("core", "-o", "whole", noise.pid, cwd=tmp_path)
    result = pidmem("core", "-j", "--partial", "--max-size", limit, "-o", "c", noise.pid, cwd=tmp_path)
    assert result.code == 3 and whole.code == 0 and "before a limit was reached" in result.err, result
    missing, size = told_of_limit(result.json)
    assert os.stat(tmp_path / "c").st_blocks * 512 <= limit
    assert size < 27 * MIB - limit and result.json["account"]["read"] > limit / 4
    with Core(tmp_path / "whole") as core, Core(tmp_path / "c") as part:
        assert part.check() == [] and len(core.segments) == len(part.segments)
        end = next((int(hole["start"], 16) for hole in missing if int(hole["end"], 16) > noise.region),
                   noise.region + noise.size)
        for address in range(noise.region, noise.region + noise.size, MIB):
            expected = core.read(address, MIB) if address + MIB <= end else None
            if expected:
                assert part.read(address, MIB) == expected
            elif address >= end:
                assert part.read(address, MIB) == bytes(MIB)
        assert b'"why":"limit"' in part.note(0x504D454D, "pidmem")


def check_partial_dump(report, dump, one):
    told_of_limit(report)
    assert dump.check(report["account"]) == []
    whys = dump.explained(one.region, one.region + one.size)
    assert ("unreadable", "limit") in whys, whys


@pytest.mark.parametrize("limit", [1 << 20, 10 << 20])
def test_partial_dump(pidmem, noise, tmp_path, limit):
    result = pidmem("dump", "-j", "--partial", "--max-size", limit, "-o", "d", noise.pid, cwd=tmp_path)
    assert result.code == 3, result
    # What the file system needs to find the parts of the file counts as blocks as well.
    assert limit * 3 / 4 < os.stat(tmp_path / "d").st_blocks * 512 <= limit + (64 << 10)
    with Dump(tmp_path / "d") as dump:
        check_partial_dump(result.json, dump, noise)


def test_partial_split_dump(pidmem, noise, tmp_path):
    result = pidmem("dump", "-j", "--partial", "--max-size=5M", "--split", "d", noise.pid, cwd=tmp_path)
    assert result.code == 3, result
    told_of_limit(result.json)
    files = [entry.stat().st_blocks * 512 for entry in (tmp_path / "d").iterdir() if entry.name != "index"]
    assert 3 * MIB < sum(files) <= 5 * MIB


@pytest.mark.parametrize("name,limit", [("noise", 10 << 20), ("leave", 128 << 10)])
def test_partial_compressed(pidmem, victim, tmp_path, name, limit):
    """What can be compressed well comes near to the limit as well."""
    one = victim(name, 40)
    result = pidmem("dump", "-j", "-z1", "--partial", "--max-size", limit, "-o", "d", one.pid, cwd=tmp_path)
    assert result.code == 3, result
    told_of_limit(result.json)
    packed = Zstd(tmp_path / "d.zst")
    assert limit / 4 < len(packed.data) <= limit
    (tmp_path / "d").write_bytes(packed.content())
    os.rename(tmp_path / "d.zst.index", tmp_path / "d.index")
    with Dump(tmp_path / "d") as dump:
        check_partial_dump(result.json, dump, one)


@pytest.mark.parametrize("packed", [[], ["-z"]], ids=["", "z"])
@pytest.mark.parametrize("command", ["core", "dump"])
def test_too_long(pidmem, noise, tmp_path, command, packed):
    """24 MiB take four seconds at this rate."""
    args = [command, *packed, "--rate=6", "--max-time=0.3", "-o", "c", noise.pid]
    assert "in the time" in pidmem.fails(*args, cwd=tmp_path).err
    assert os.listdir(tmp_path) == []
    result = pidmem(*args, "-j", "--partial", cwd=tmp_path)
    assert result.code == 3, result
    assert told_of_limit(result.json)[1] > 8 * MIB


def test_time_that_is_over_before(pidmem, plain, tmp_path):
    """A millisecond is not enough to hold a process."""
    for command in ("core", "dump"):
        pidmem.fails(command, "--max-time=0.001", plain.pid, cwd=tmp_path)
        assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("packed", [[], ["-z1"]], ids=["", "z"])
@pytest.mark.parametrize("command", ["core", "dump"])
def test_rate(pidmem, victim, tmp_path, command, packed):
    one = victim("noise", 4)
    begun = time.monotonic()
    result = pidmem(command, "-j", "--rate=16", *packed, "-o", "c", one.pid, cwd=tmp_path)
    taken = time.monotonic() - begun
    assert result.code == 0, result
    assert taken > 0.9 * result.json["account"]["read"] / (16 * MIB)


@pytest.mark.parametrize("command", ["core", "dump"])
@pytest.mark.parametrize("option", ["--rate=1000", "--nice", "--max-size=40M", "-z"])
def test_other_engine_is_told(pidmem, plain, tmp_path, command, option):
    """By default it is copied at once, while it runs, and not compressed: these options would do nothing about that."""
    can("precopy")
    args = [command, "--force", "-o", "c", plain.pid]
    report = pidmem(*args, option, "-j", cwd=tmp_path).json
    assert report["engine"] == "clone" and option.partition("=")[0] in report["fallback"], report
    result = pidmem(*args, option, cwd=tmp_path)
    assert report["fallback"] in result.text and result.err == "", result
    for engine in ("precopy", "clone"):
        report = pidmem(*args, option, "-j", f"--engine={engine}", cwd=tmp_path).json
        assert (report["engine"], report["fallback"]) == (engine, None), report


def test_limited_stop_is_worth_more_than_time(pidmem, plain, tmp_path):
    can("precopy")
    report = pidmem("core", "-z", "--max-pause=10000", "-j", "-o", "c", plain.pid, cwd=tmp_path).json
    assert (report["engine"], report["fallback"]) == ("precopy", None), report


def test_interrupt_of_a_wait(pidmem, noise, tmp_path):
    """At this rate it would take a day."""
    process = pidmem.start("core", "--rate=0.01", "--consistency=live", "-o", "c", noise.pid, cwd=tmp_path)
    while not sleeps(process):
        assert process.poll() is None
        time.sleep(0)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(20) == 2 and os.listdir(tmp_path) == []


def test_progress_on_a_terminal(pidmem, noise, tmp_path):
    """At this rate it takes a minute: it is drawn again and again, with the time that is left; Ctrl-C wipes it."""
    terminal, end = pty.openpty()
    process = pidmem.start("core", "--color=never", "--rate=0.5", "-o", "c", noise.pid, cwd=tmp_path, stderr=end, stdin=end)
    os.close(end)
    said = b""
    while said.count(b"\r") < 3:
        said += os.read(terminal, 4096)
    assert re.search(rb"\r +\d+%  [\d.]+ [KM]iB of [\d.]+ MiB, [\d.]+ [KM]iB/s, \d+ s left\x1b\[K\r", said), said
    os.kill(process.pid, signal.SIGINT)
    try:
        while more := os.read(terminal, 4096):
            said += more
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
    assert process.wait(20) == 2 and os.listdir(tmp_path) == []
    assert re.search(rb"\r\x1b\[Kpidmem: interrupted by SIGINT", said), said


def sleeps(process):
    """It waits in nanosleep(2), which is nothing else here than a wait for the rate."""
    try:
        with open(f"/proc/{process.pid}/syscall") as file:
            return file.read().split()[0] in ("35", "230", "115", "101")
    except OSError:
        return False


def scheduling(pid):
    """proc(5): `policy` of each thread."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/stat") as stat:
            yield int(stat.read().rsplit(")", 1)[1].split()[38])


@pytest.mark.parametrize("nice", [True, False])
def test_nice(pidmem, victim, tmp_path, nice):
    one = victim("noise", SIZE)
    process = pidmem.start("core", "-z1", *["--nice"][:nice], "-o", tmp_path / "c", one.pid)
    if not catch(process):
        pytest.skip("it was done before it could be caught")
    found = set(scheduling(process.pid))
    os.kill(process.pid, signal.SIGCONT)
    assert process.wait(60) == 0
    assert found == ({os.SCHED_IDLE} if nice else {os.SCHED_OTHER})


def test_nice_is_not_for_what_stands_still(pidmem, plain, tmp_path):
    result = pidmem("core", "--nice", "--consistency=stopped", "-o", "c", plain.pid, cwd=tmp_path)
    assert result.code == 0 and "--nice is passed over" in result.err, result
    check_core(tmp_path / "c", plain)
    assert pidmem("core", "--nice", "-o", "d", plain.pid, cwd=tmp_path).err == ""


@pytest.mark.parametrize("command", ["core", "dump"])
def test_no_room(pidmem, victim, tmp_path, need_root, command):
    """Known before anything is stopped."""
    one, disk = victim("noise", 32), tmp_path / "disk"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=16m none "$0" && cd "$0" && { "$@"; code=$?; ls -A . >"../left"; exit $code; }'
    before = stops(one.pid)
    result = pidmem.fails(command, one.pid, before=["unshare", "--mount", "sh", "-c", script, disk])
    assert "no room" in result.err and stops(one.pid) == before, result
    assert (tmp_path / "left").read_text() == ""
    result = pidmem(command, "--partial", "--max-size=4M", one.pid,
                    before=["unshare", "--mount", "sh", "-c", script, disk])
    assert result.code == 3 and str(one.pid) in (tmp_path / "left").read_text(), result


def test_no_room_for_a_dump_twice(pidmem, victim, tmp_path, need_root):
    """What is copied while it runs is a file beside the dump: that there is no room for both is known before."""
    one, disk = victim("noise", 32), tmp_path / "disk"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=48m none "$0" && cd "$0" && "$@"'
    report = pidmem("dump", "-j", "-o", "d", one.pid, before=["unshare", "--mount", "sh", "-c", script, disk]).json
    assert report["engine"] == "clone" and "no room" in report["fallback"], report


@pytest.mark.parametrize("args", [
    ["--max-size=0"], ["--max-size=x"], ["--max-size="], ["--max-size=-1"], ["--max-time=0"], ["--max-time=-1"],
    ["--max-time=soon"], ["--max-time=inf"], ["--rate=0"], ["--rate=fast"], ["--rate=1M"], ["--partial"]])
@pytest.mark.parametrize("command", ["core", "dump"])
def test_arguments_that_are_wrong(pidmem, plain, tmp_path, command, args):
    pidmem.fails(command, *args, plain.pid, cwd=tmp_path)
    assert os.listdir(tmp_path) == []


def test_partial_stream(pidmem, noise, tmp_path):
    """Zeros would stand for what is left out."""
    args = ["core", "--partial", "--max-size=1M", "-o", "-", noise.pid]
    pidmem.fails(*args, cwd=tmp_path)
    result = pidmem(*args, "-z", cwd=tmp_path)
    assert result.code == 3 and MIB / 3 < len(result.out) <= MIB, result.err
