# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command `core`: its arguments, the names of its files, what it says, and what it leaves behind when it fails.

What is in the files is the business of other tests; here they are opened to see that they are there and whole.
"""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time

import pytest
from conftest import PAGE, check_account, pattern
from core_reader import Core
from middle import SIZE, catch, check_failed

REPORT = ["pidmem", "command", "target", "name", "output", "format", "consistency", "engine", "fallback", "pause_us",
          "stops_us", "threads", "unstopped", "shared", "account", "holes", "size", "elapsed_us"]
SECOND_LINE = re.compile(r"paused [\d.]+ (us|ms|s) \(snapshot\), 2 threads, [\d.]+ (us|ms|s) in all, "
                         r"[\d.]+ [KMG]?i?B/s")


def check_core(path, one):
    """It is a whole core of this victim (`plain` or `leave`)."""
    assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600
    with Core(path) as core:
        assert core.check() == []
        assert core.threads[0].pid == one.pid
        if "bytes" in one.facts:
            assert core.read(one.bytes + 3 * PAGE, PAGE) == pattern(1, 1, first=3)


def stops(pid):
    """How often the first thread was put to sleep and woken: each stop counts. The victims sleep all the time, and from
    proc(5) `syscall` is known that this one does now, and is not just about to."""
    while True:
        with open(f"/proc/{pid}/syscall") as file:
            if not file.read().startswith("running"):
                break
    with open(f"/proc/{pid}/status") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith(("voluntary", "nonvoluntary")))


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


def descendants(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        mine = [int(child) for child in children.read().split()]
    return mine + [further for child in mine for further in descendants(child)]


def test_tree(pidmem, tmp_path):
    """A shell with a child that is a shell with children."""
    inner = "cat <&3 & cat <&3 & echo ready; wait"
    script = f"exec 3<&0; cat <&3 & sh -c '{inner}' & wait"
    with subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        assert shell.stdout.readline() == b"ready\n"
        family = [shell.pid, *descendants(shell.pid)]
        assert len(family) == 5
        result = pidmem("core", "--tree", "-j", "-o", "family", shell.pid, cwd=tmp_path)
        shell.stdin.close()
        assert shell.wait(20) == 0
    assert result.code == 0, result
    reports = [json.loads(line) for line in result.text.splitlines()]
    assert reports[0]["target"] == shell.pid and sorted(report["target"] for report in reports) == sorted(family)
    assert sorted(os.listdir(tmp_path)) == sorted(f"family.{pid}" for pid in family)
    for pid in family:
        with Core(tmp_path / f"family.{pid}") as core:
            assert core.check() == [] and [thread.pid for thread in core.threads] == [pid]


def test_tree_of_one_is_still_numbered(pidmem, plain, tmp_path):
    assert pidmem("core", "--tree", "-o", "x", plain.pid, cwd=tmp_path).code == 0
    assert os.listdir(tmp_path) == [f"x.{plain.pid}"]


# What it says.

def test_json(pidmem, plain, tmp_path):
    result = pidmem("core", "-j", "-o", "c", plain.pid, cwd=tmp_path)
    report = result.json
    assert list(report) == REPORT
    assert (report["pidmem"], report["command"], report["target"]) == (1, "core", plain.pid)
    assert (report["output"], report["format"], report["consistency"]) == ("c", "elf", "snapshot")
    assert (report["engine"], report["fallback"], report["threads"], report["unstopped"]) == ("clone", None, 2, 0)
    assert report["pause_us"] == max(report["stops_us"]) > 0 and report["shared"].keys() == {"paused", "after"}
    check_account(report["account"])
    assert report["account"]["unreadable"] == 0 and report["account"]["read"] > 0
    status = os.stat(tmp_path / "c")
    assert report["size"]["apparent"] == status.st_size
    assert report["elapsed_us"] >= report["pause_us"]


@pytest.mark.parametrize("mode,engine", [("live", None), ("stopped", None), ("snapshot", "clone")])
@pytest.mark.parametrize("command", ["core", "dump"])
def test_consistency_that_is_asked_for(pidmem, plain, tmp_path, command, mode, engine):
    result = pidmem(command, "-j", f"--consistency={mode}", "-o", "f", plain.pid, cwd=tmp_path)
    assert result.code == 0, result
    report = result.json
    assert (report["consistency"], report["engine"], report["fallback"]) == (mode, engine, None), report
    assert (report["pause_us"] > 0) == (len(report["stops_us"]) > 0) == (mode != "live"), report
    text = pidmem(command, f"--consistency={mode}", "--force", "-o", "f", plain.pid, cwd=tmp_path).text
    assert ("live (the process ran on)" if mode == "live" else f" ({mode})") in text.splitlines()[1], text


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
    with open(f"/proc/{one.pid}/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file)
    assert status["State"][0] == "S" and status["TracerPid"] == "0", status
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


# What is in the way.

def hold_out(pidmem, args, cwd, pids, text, **options):
    """It fails, and no process was stopped for it."""
    before = [stops(pid) for pid in pids]
    result = pidmem.fails("core", *args, cwd=cwd, **options)
    assert text in result.err, result
    assert [stops(pid) for pid in pids] == before


def test_existing_file_is_kept(pidmem, plain, tmp_path):
    (tmp_path / "c").write_bytes(b"precious")
    hold_out(pidmem, ["-o", "c", plain.pid], tmp_path, [plain.pid], "--force")
    assert (tmp_path / "c").read_bytes() == b"precious" and os.listdir(tmp_path) == ["c"]
    assert pidmem("core", "--force", "-o", "c", plain.pid, cwd=tmp_path).code == 0
    check_core(tmp_path / "c", plain)


def test_one_existing_file_of_several(pidmem, victim, tmp_path):
    pids = [victim("plain").pid for _ in range(3)]
    (tmp_path / f"core.{pids[2]}").write_bytes(b"precious")
    hold_out(pidmem, pids, tmp_path, pids, f"core.{pids[2]} exists")
    assert os.listdir(tmp_path) == [f"core.{pids[2]}"]


def test_existing_file_of_a_descendant(pidmem, victim, tmp_path):
    """It is known only when all are stopped; nothing is written then."""
    one = victim("family")
    (tmp_path / f"core.{one.child}").write_bytes(b"precious")
    assert f"core.{one.child} exists" in pidmem.fails("core", "--tree", one.pid, cwd=tmp_path).err
    assert os.listdir(tmp_path) == [f"core.{one.child}"]


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("dangling", [True, False])
def test_never_through_a_symlink(pidmem, plain, tmp_path, force, dangling):
    target, folder = tmp_path / "target", tmp_path / "folder"
    folder.mkdir()
    if not dangling:
        target.write_bytes(b"precious")
    (folder / "c").symlink_to(target)
    hold_out(pidmem, [*force, "-o", "c", plain.pid], folder, [plain.pid], "symbolic link")
    assert os.listdir(folder) == ["c"] and (folder / "c").is_symlink()
    assert not target.exists() if dangling else target.read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["", "d/", "missing/c", "x" * 300, "."],
                         ids=["empty", "slash", "missing", "long", "dot"])
def test_place_that_is_none(pidmem, plain, tmp_path, name):
    hold_out(pidmem, ["-o", name, plain.pid], tmp_path, [plain.pid], "pidmem: ")
    assert os.listdir(tmp_path) == []


def test_socket_as_output(pidmem, plain, tmp_path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s"))
        pidmem.fails("core", "-o", tmp_path / "s", plain.pid)
    assert os.listdir(tmp_path) == ["s"]


def test_directory_that_may_not_be_written(pidmem, victim, user_dir, as_user):
    one = victim("plain", user=as_user)
    folder = user_dir / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    hold_out(pidmem, [one.pid], folder, [one.pid], "Permission denied", user=as_user)


@pytest.mark.parametrize("count", [1, 2])
def test_full_disk(pidmem, victim, tmp_path, need_root, count):
    """The second core of two does not fit: the first one is removed as well."""
    ones = [victim("leave", size) for size in (1, 32)[-count:]]
    disk = tmp_path / "disk"
    disk.mkdir()
    script = ('mount -t tmpfs -o size=16m none "$0" && cd "$0" && { "$@"; code=$?; ls -A . >"../left"; exit $code; }')
    result = pidmem.fails("core", *[one.pid for one in ones], before=["unshare", "--mount", "sh", "-c", script, disk])
    assert "space" in result.err and f"core.{ones[-1].pid}" in result.err, result
    assert (tmp_path / "left").read_text() == ""


def test_report_that_cannot_be_given(pidmem, victim, tmp_path):
    pids = [victim("plain").pid for _ in range(2)]
    with open("/dev/full", "wb") as full:
        result = pidmem("core", *pids, stdout=full, cwd=tmp_path)
    assert result.code == 2 and "hint: " in result.err, result
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("mode", [[], ["--consistency=stopped"], ["--consistency=live"]], ids=["", "stopped", "live"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_interrupt_in_the_middle(pidmem, victim, tmp_path, mode, name):
    for attempt in range(5):  # it may be done before it is caught
        one = victim("leave", SIZE << min(attempt, 2))
        process = pidmem.start("core", *mode, "--force", "-o", tmp_path / "c", one.pid)
        if catch(process):
            break
        process.communicate()
        (tmp_path / "c").unlink()
    else:
        pytest.fail("it was never caught")
    os.kill(process.pid, getattr(signal, name))
    os.kill(process.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=20)
    check_failed(process.returncode, out, err.decode())
    assert name in err.decode() and os.listdir(tmp_path) == []


def test_interrupt_removes_those_that_are_complete(pidmem, victim, tmp_path):
    small, large = victim("leave", 1), victim("leave", SIZE << 1)
    process = pidmem.start("core", small.pid, large.pid, cwd=tmp_path)
    if not catch(process):
        pytest.skip("it was done before it could be interrupted")
    assert os.listdir(tmp_path) == [f"core.{small.pid}"]
    os.kill(process.pid, signal.SIGINT)
    os.kill(process.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=20)
    check_failed(process.returncode, out, err.decode())
    assert os.listdir(tmp_path) == []


# Who may, and who cannot be stopped.

def test_no_such_process(pidmem, plain, tmp_path):
    with subprocess.Popen(["true"]) as gone:
        pass
    result = pidmem.fails("core", plain.pid, gone.pid, cwd=tmp_path)
    assert str(gone.pid) in result.err.splitlines()[0] and os.listdir(tmp_path) == [], result


def test_process_of_another_user(pidmem, victim, user_dir, as_user, need_root):
    """Of two, the one that cannot be read is named, with the cause."""
    mine, theirs = victim("plain", user=as_user), victim("plain")
    result = pidmem.fails("core", mine.pid, theirs.pid, cwd=user_dir, user=as_user)
    assert f"process {theirs.pid} (plain)" in result.err and "user root" in result.err, result
    assert os.listdir(user_dir) == []


def test_own_process_of_an_ordinary_user(pidmem, victim, user_dir, as_user):
    one = victim("plain", user=as_user)
    report = pidmem("core", "-j", "-o", "c", one.pid, cwd=user_dir, user=as_user).json
    assert report["consistency"] == "snapshot", report
    check_core(user_dir / "c", one)


def test_kernel_thread_among_others(pidmem, plain, tmp_path, kernel_thread):
    assert "kernel thread" in pidmem.fails("core", plain.pid, kernel_thread, cwd=tmp_path).err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("command", ["core", "dump"])
def test_traced_process(pidmem, victim, tmp_path, command):
    """A debugger has it: by default it is read live, with a warning; by hand it fails."""
    one = victim("plain")
    victim("why_tracer", one.pid)
    result = pidmem(command, "-j", "-o", "f", one.pid, cwd=tmp_path)
    assert result.code == 0 and result.json["consistency"] == "live" and result.json["fallback"], result
    assert result.err == f"pidmem: process {one.pid} (plain): {result.json['fallback']}\n", result
    assert "trace" in result.err and "while it ran" in result.err, result
    assert pidmem(command, "-q", "-o", "g", one.pid, cwd=tmp_path).err == ""
    for mode in ("stopped", "snapshot"):
        assert "trace" in pidmem.fails(command, f"--consistency={mode}", "-o", "h", one.pid, cwd=tmp_path).err
    assert not (tmp_path / "h").exists()


@pytest.mark.parametrize("command", ["core", "dump"])
def test_itself(pidmem, tmp_path, command):
    """It cannot stop itself."""
    result = pidmem(command, "-j", "-o", "f", "self", cwd=tmp_path)
    assert result.code in (0, 3) and result.json["consistency"] == "live" and result.json["fallback"], result
    pidmem.fails(command, "--consistency=snapshot", "-o", "g", "self", cwd=tmp_path)
    assert not (tmp_path / "g").exists()


# Arguments.

@pytest.mark.parametrize("mask,sizes", [("0", 0), ("0x0", 0), ("1", 1), ("00000033", 1), ("0X33", 1)])
def test_filter(pidmem, plain, tmp_path, mask, sizes):
    """As /proc/PID/coredump_filter shows it: hex, with or without 0x."""
    result = pidmem("core", "--filter", mask, "-o", "c", plain.pid, cwd=tmp_path)
    assert result.code == 0, result
    with Core(tmp_path / "c") as core:
        assert core.check() == []
        assert bool(core.find(plain.bytes).filesz) == bool(sizes)
    assert "left out by the rules for cores" in result.text, result


def test_all(pidmem, victim, tmp_path):
    """Whatever filter and MADV_DONTDUMP say."""
    one = victim("lacking")
    reports = {}
    for name, option in (("usual", []), ("all", ["--all"]), ("a", ["-a"])):
        reports[name] = pidmem("core", "-j", *option, "-o", name, one.pid, cwd=tmp_path).json
    assert reports["all"]["account"]["excluded"] < reports["usual"]["account"]["excluded"]
    assert reports["a"]["account"]["excluded"] == reports["all"]["account"]["excluded"]


def test_shared(pidmem, victim, tmp_path):
    """16 MiB of shared memory are more than the limit, unless it is raised."""
    one = victim("lacking")

    def saved(*args):
        return pidmem("core", "-j", "--force", *args, "-o", "c", one.pid, cwd=tmp_path).json["shared"]

    whole = saved("--shared=paused")
    assert whole["paused"] > 16 << 20 and whole["after"] == 0
    assert saved("--shared-limit=64M") == saved("--shared=auto", "--shared-limit", "0x4000000") == whole
    assert saved("--shared=after")["after"] > saved()["after"] >= 16 << 20


@pytest.mark.parametrize("args", [
    ["-z"], ["-z3"], ["--max-pause", "5"], ["--max-pause=5"], ["--engine=precopy"]])
def test_options_of_a_later_version(pidmem, plain, tmp_path, args):
    assert "not there in this version" in pidmem.fails("core", *args, plain.pid, cwd=tmp_path).err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("args", [
    ["--filter", "zz"], ["--filter", ""], ["--filter", "0x"], ["--filter", "-1"], ["--filter", "200"],
    ["--filter", "100000000"], ["--filter", "33", "--all"], ["--shared=sometimes"], ["--shared-limit", "x"],
    ["--shared-limit", "0"], ["--shared=after", "--shared-limit", "1M"], ["--engine=magic"], ["--engine="],
    ["--consistency=live", "--tree"], ["--consistency=live", "--shared=paused"]])
def test_arguments_that_are_wrong(pidmem, plain, tmp_path, args):
    pidmem.fails("core", *args, plain.pid, cwd=tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("args", [["--engine=auto"], ["--engine=clone"], ["--shared=auto", "--shared-limit=64M"]])
def test_arguments_that_are_right(pidmem, plain, tmp_path, args):
    assert pidmem("core", *args, plain.pid, cwd=tmp_path).code == 0


def test_process_that_is_named_twice(pidmem, plain, tmp_path):
    assert "twice" in pidmem.fails("core", plain.pid, f"0{plain.pid}", cwd=tmp_path).err
    assert os.listdir(tmp_path) == []


def test_gdb_opens_it(pidmem, plain, tmp_path):
    from test_real_programs import need  # pylint: disable=import-outside-toplevel
    gdb = need("gdb")
    assert pidmem("core", "-o", "c", plain.pid, cwd=tmp_path).code == 0
    run = subprocess.run([gdb, "-nx", "-batch", "-ex", "info threads", "-ex", "bt", f"/proc/{plain.pid}/exe",
                          tmp_path / "c"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert f"LWP {plain.pid}" in run.stdout and "main" in run.stdout, (run, sys.version)


# The moment, and what happened since.

@pytest.mark.parametrize("change", ["killed", "exec"])
def test_facts_are_of_the_moment(pidmem, victim, tmp_path, change):
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
            process = pidmem.start("core", "--consistency=snapshot", first.pid, second.pid, cwd=tmp_path)
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
