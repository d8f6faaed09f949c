# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command `core`: the names of its files, what it says, and standard output.

What is in the files is the business of other tests; here they are opened to see that they are there and whole.
"""

import json
import os
import re
import signal
import time

import pytest
from conftest import check_account, pattern
from core_saving import check_core, stops
from engines import ENGINES, given
from freezing import held_back, wait_until
from middle import SIZE, check_failed

REPORT = ["pidmem", "command", "target", "name", "output", "format", "compression", "consistency", "engine", "passes",
          "fallback", "pause_us", "stops_us", "threads", "unstopped", "untracked", "shared", "account", "holes", "size",
          "elapsed_us", "zombies"]
SECOND_LINE = re.compile(r"paused [\d.]+ (us|ms|s) \(snapshot(, \d+ pass(es)? before)?\), "
                         r"([\d.]+ [KMG]?i?B not tracked, )?2 threads, [\d.]+ (us|ms|s) in all, [\d.]+ [KMG]?i?B/s")


# Names.

def test_default_name_and_the_two_lines(pidmem, plain, tmp_path):
    result = pidmem("core", plain.pid, cwd=tmp_path)
    assert result.code == 0 and result.err == "", result
    first, second = result.text.splitlines()
    assert re.fullmatch(rf"core\.{plain.pid}: [\d.]+ [KMG]iB read, .*, nothing unreadable", first), result
    assert SECOND_LINE.fullmatch(second), result
    assert os.listdir(tmp_path) == [f"core.{plain.pid}"]
    check_core(tmp_path / f"core.{plain.pid}", plain)


def test_name_of_a_file(pidmem, plain, tmp_path):
    result = pidmem("core", "-o", "c", plain.pid, cwd=tmp_path)
    assert result.code == 0 and result.text.startswith("c: "), result
    assert os.listdir(tmp_path) == ["c"]
    check_core(tmp_path / "c", plain)


@pytest.mark.parametrize("prefix", [None, "prefix"])
def test_several_processes(pidmem, victim, tmp_path, prefix):
    ones = [victim("plain") for _ in range(3)]
    result = pidmem("core", "-j", *(["-o", prefix] if prefix else []), *[one.pid for one in ones], cwd=tmp_path)
    assert result.code == 0, result
    reports = [json.loads(line) for line in result.text.splitlines()]
    assert [report["target"] for report in reports] == [one.pid for one in ones]
    names = [f"{prefix or 'core'}.{one.pid}" for one in ones]
    assert [report["output"] for report in reports] == names and sorted(os.listdir(tmp_path)) == sorted(names)
    for one, name in zip(ones, names):
        check_core(tmp_path / name, one)


def test_lines_of_several_processes(pidmem, victim, tmp_path):
    ones = [victim("plain") for _ in range(2)]
    lines = pidmem("core", *[one.pid for one in ones], cwd=tmp_path).text.splitlines()
    assert [line.split(":")[0] for line in lines[::2]] == [f"core.{one.pid}" for one in ones]
    assert all(SECOND_LINE.fullmatch(line) for line in lines[1::2]), lines


# What it says.

@pytest.mark.parametrize("engine", ENGINES)
def test_json(pidmem, plain, tmp_path, engine):
    result = pidmem("core", "-j", *given(engine), "-o", "c", plain.pid, cwd=tmp_path)
    report = result.json
    assert list(report) == REPORT
    assert (report["pidmem"], report["command"], report["target"]) == (1, "core", plain.pid)
    assert (report["output"], report["format"], report["consistency"]) == ("c", "elf", "snapshot")
    assert (report["engine"], report["fallback"], report["threads"], report["unstopped"]) == (engine, None, 2, 0)
    assert report["pause_us"] == max(report["stops_us"]) > 0 and report["shared"].keys() == {"paused", "after"}
    assert report["zombies"] == [] and (report["passes"] > 0) == (engine == "precopy"), report
    check_account(report["account"])
    assert report["account"]["unreadable"] == 0 and report["account"]["read"] > 0
    status = os.stat(tmp_path / "c")
    assert report["size"]["apparent"] == status.st_size


@pytest.mark.parametrize("mode", ["live", "stopped", "snapshot"])
@pytest.mark.parametrize("command", ["core", "dump"])
def test_consistency_that_is_asked_for(pidmem, plain, tmp_path, command, mode):
    result = pidmem(command, "-j", f"--consistency={mode}", "-o", "f", plain.pid, cwd=tmp_path)
    assert result.code == 0, result
    report = result.json
    assert report["consistency"] == mode and (report["engine"] in ENGINES) == (mode == "snapshot"), report
    assert (report["pause_us"] > 0) == (len(report["stops_us"]) > 0) == (mode != "live"), report
    text = pidmem(command, f"--consistency={mode}", "--force", "-o", "f", plain.pid, cwd=tmp_path).text
    assert ("live (the process ran on)" if mode == "live" else f" ({mode}") in text.splitlines()[1], text


@pytest.mark.parametrize("mode", ["stopped", "snapshot"])
def test_read_at_one_moment(pidmem, plain, mode):
    result = pidmem("read", "-j", f"--consistency={mode}", plain.pid, f"{plain.bytes:x}", "4096")
    assert result.code == 0, result
    assert bytes.fromhex(result.json["bytes"]) == pattern(1, 1)
    assert result.json["consistency"] == mode and result.json["pause_us"] > 0, result
    text = pidmem("read", f"--consistency={mode}", plain.pid, f"{plain.bytes:x}", "4096").text
    assert text == pidmem("read", plain.pid, f"{plain.bytes:x}", "4096").text


def test_nobody_waits_for_a_pager(pidmem, victim):
    """What is read from a stopped process is put out when it runs on: a full pipe does not keep it stopped."""
    one = victim("leave", 16)
    process = pidmem.start("read", "--raw", "--consistency=stopped", one.pid, f"{one.region:x}", "16M")
    assert process.stdout.read(4096)
    wait_until(held_back, one.pid)
    rest = process.stdout.read()
    assert process.wait(20) == 0 and len(rest) == (16 << 20) - 4096


def test_read_that_fails_puts_nothing_out(pidmem, plain):
    pidmem.fails("read", "--consistency=stopped", plain.pid, "0", "16")
    pidmem.fails("read", "--consistency=snapshot", "--raw", plain.pid, f"{plain.bytes:x}", "1G")


# Standard output.

@pytest.mark.parametrize("json_too", [[], ["-j"]], ids=["text", "json"])
def test_standard_output(pidmem, plain, tmp_path, json_too):
    result = pidmem("core", *json_too, "-o", "-", plain.pid, cwd=tmp_path)
    assert result.code == 0 and os.listdir(tmp_path) == [], result
    file = tmp_path / "core"
    file.write_bytes(result.out)
    file.chmod(0o600)
    check_core(file, plain)
    if json_too:
        report = json.loads(result.err)
        assert (report["output"], report["size"]["apparent"]) == ("-", len(result.out)), report
    else:
        assert result.err.startswith("standard output: ") and "paused " in result.err, result


def test_standard_output_that_is_a_file(pidmem, plain, tmp_path):
    with open(tmp_path / "c", "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        result = pidmem("core", "-o", "-", plain.pid, stdout=file)
    assert result.code == 0, result
    check_core(tmp_path / "c", plain)


@pytest.mark.parametrize("more", [["--tree"], ["self"]], ids=["tree", "several"])
def test_standard_output_has_room_for_one(pidmem, plain, more):
    assert "-o PREFIX" in pidmem.fails("core", "-o", "-", plain.pid, *more).err


def test_standard_output_that_is_a_terminal(pidmem, plain):
    ours, theirs = os.openpty()
    result = pidmem("core", "-o", "-", plain.pid, stdout=theirs)
    os.close(theirs)
    os.close(ours)
    assert result.code == 2 and "terminal" in result.err, result


def test_reader_of_the_stream_goes_away(pidmem, victim, tmp_path):
    one = victim("leave", SIZE)
    process = pidmem.start("core", "-o", "-", one.pid, cwd=tmp_path)
    assert process.stdout.read(4096)
    process.stdout.close()
    err = process.stderr.read().decode()
    assert process.wait(20) == 2 and err.count("pidmem: ") == 1, err


def test_named_pipe(pidmem, victim, tmp_path):
    """Nothing is stopped before the pipe has a reader."""
    one = victim("plain")
    os.mkfifo(tmp_path / "fifo")
    before = stops(one.pid)
    process = pidmem.start("core", "-o", tmp_path / "fifo", one.pid)
    waits_in_open(process)
    assert stops(one.pid) == before
    with open(tmp_path / "fifo", "rb") as stream:
        (tmp_path / "c").write_bytes(stream.read())
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0 and b"fifo: " in out, err
    (tmp_path / "c").chmod(0o600)
    check_core(tmp_path / "c", one)
    assert stops(one.pid) > before


def test_interrupt_before_the_pipe_has_a_reader(pidmem, plain, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    process = pidmem.start("core", "-o", tmp_path / "fifo", plain.pid)
    waits_in_open(process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    check_failed(process.returncode, out, err.decode())
    assert b"SIGINT" in err and os.listdir(tmp_path) == ["fifo"]


def waits_in_open(process):
    """It sleeps, and all it could wait for is the reader of its pipe: wait_for_partner() in fs/pipe.c."""
    while True:
        with open(f"/proc/{process.pid}/syscall") as file:
            call = file.read().split()[0]
        if call in ("2", "56", "257"):  # open, openat of x86-64; openat of aarch64
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0)
