# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whoever reads a file, and no process, has given up before what that does not need: capabilities, system calls, and
writing anywhere but where the output goes."""

import ctypes
import os
import subprocess

import pytest
from conftest import ORDINARY, PIDMEM, ROOT
from core_maker import PAGE, core, status_note

LANDLOCK = ctypes.CDLL(None).syscall(444, 0, 0, 1) >= 2
FILTERED = b"libseccomp" in subprocess.run(["ldd", PIDMEM.resolve()], capture_output=True, check=False).stdout
SIZE = 4 << 20
TRIED = {"fork", "execve", "socket", "ptrace", "process_vm_readv", "kill", "unshare", "mount", "setuid", "bpf", "read",
         "write", "truncate", "create", "unlink"}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "core"
    path.write_bytes(core([(0x10000, 6, os.urandom(SIZE), SIZE)], status_note(1)))
    return path


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as text:
        return dict(line.split(":\t", 1) for line in text.read().splitlines())


def held(pidmem, *args, reads=1, **options):
    """The command while it waits for the reader of its output."""
    process = pidmem.start(*args, **options)
    assert process.stdout.read(reads)
    return process, status_of(process.pid)


def check_status(status, kept=0):
    assert int(status["CapEff"], 16) & ~kept == int(status["CapPrm"], 16) & ~kept == 0, status
    assert status["CapInh"] == "0" * 16 and status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == ("2" if FILTERED else "0")


def compressed(path):
    subprocess.run(["zstd", "-q", path], check=True)
    return path.with_name(path.name + ".zst")


@pytest.mark.parametrize("how", ["read", "core", "zst", "find", "user", "diff"])
def test_status(pidmem, file, tmp_path, as_user, how):
    user, targets = None, [file]
    if how == "zst":
        targets = [compressed(file)]
    elif how == "user" and as_user is not None:
        for path in (*tmp_path.parents[:-2], tmp_path, file):
            path.chmod(0o755)
        user = as_user
    elif how == "diff":
        other = tmp_path / "other"
        data = bytearray(file.read_bytes())
        data[-SIZE::64] = bytes(byte ^ 1 for byte in data[-SIZE::64])
        other.write_bytes(data)
        targets = [file, other]
    args = {"core": ["core", "-z1", "-o", "-"], "find": ["find", "-e", "."], "diff": ["diff"]}.get(how, ["read", "--raw"])
    process, status = held(pidmem, *args, *targets, *(["10000", str(SIZE)] if args[0] == "read" else []), user=user)
    check_status(status)
    assert status["Uid"].split() == [str(os.geteuid() if user is None else user)] * 4
    process.stdout.close()
    assert process.wait(60) == 2  # the reader went away


def test_file_of_somebody_else(pidmem, file, need_root):
    """It is opened first: reading it needs no right any more."""
    os.chown(file, ORDINARY, ORDINARY)
    file.chmod(0o600)
    process, status = held(pidmem, "read", "--raw", file, "10000", str(SIZE))
    check_status(status)
    process.stdout.close()
    process.wait(60)


def test_two_files_of_somebody_else(pidmem, file, tmp_path, need_root):
    """What it takes to open the second one is given up, too."""
    data = bytearray(file.read_bytes())
    data[-SIZE::64] = bytes(byte ^ 1 for byte in data[-SIZE::64])
    other = tmp_path / "other"
    other.write_bytes(data)
    for path in (file, other):
        os.chown(path, ORDINARY, ORDINARY)
        path.chmod(0o600)
    process, status = held(pidmem, "diff", file, other)
    check_status(status)
    process.stdout.close()
    process.wait(60)


def test_what_is_opened_later(pidmem, file, tmp_path, need_root):
    """The second of two files, the parts of a split dump, and earlier matches: of somebody else, and in his directory."""
    other, own = tmp_path / "other", tmp_path / "own"
    other.write_bytes(file.read_bytes())
    assert pidmem("dump", "--split", tmp_path / "split", file).code == 0
    assert pidmem("find", "--save", tmp_path / "matches", "-l", "0", "-x", "00", file).code == 0
    for path in (file, other, tmp_path / "split", *(tmp_path / "split").iterdir(), tmp_path / "matches"):
        os.chown(path, ORDINARY, ORDINARY)
        path.chmod(0o700 if path.is_dir() else 0o600)
    own.mkdir()
    os.chown(own, ORDINARY, ORDINARY)
    own.chmod(0o700)
    assert pidmem("diff", file, other).code == 0
    assert pidmem("diff", tmp_path / "split", file).code == 0
    assert pidmem("core", "-o", own / "core", tmp_path / "split").code == 0
    assert pidmem("dump", "--split", own / "split", tmp_path / "split").code == 0
    assert pidmem("report", "-o", own / "page.html", file).code == 0
    assert pidmem("find", "--in", tmp_path / "matches", file, "unchanged").code == 0
    assert {path.stat().st_uid for path in own.iterdir()} == {0}
    assert pidmem("core", "--force", "-o", own / "core", file).code == 0


def test_devices_and_pipes(pidmem, file, tmp_path):
    assert pidmem("core", "-o", "/dev/null", file).code == 0
    os.mkfifo(tmp_path / "pipe")
    process = pidmem.start("core", "-o", tmp_path / "pipe", file)
    with open(tmp_path / "pipe", "rb") as reader:
        head = reader.read(4)
        check_status(status_of(process.pid))
        while reader.read(1 << 20):
            pass
    assert head == b"\x7fELF" and process.wait(60) == 0


@pytest.fixture
def forbidden(pidmem, file, tmp_path):
    """What works in there: a set of names."""
    library = tmp_path / "forbidden.so"
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, ROOT / "tests/targets/forbidden.c"],
                   check=True)
    outside = tmp_path / "outside"
    outside.write_bytes(b"x" * 100)

    def run(*args, place=tmp_path):
        result = pidmem(*args, file, env={"LD_PRELOAD": str(library), "FORBIDDEN_FILE": str(outside),
                                          "FORBIDDEN_PLACE": str(place)})
        facts = dict(line.split("=") for line in result.err.splitlines() if "=" in line)
        assert set(facts) == TRIED, result
        assert result.code == 0, result
        return {name for name, works in facts.items() if works == "1"}, outside

    return run


@pytest.mark.skipif(not FILTERED, reason="built without libseccomp, or with a sanitizer")
def test_what_is_forbidden(forbidden):
    works, outside = forbidden("maps")
    assert works == {"read"}
    assert outside.read_bytes() == b"x" * 100


@pytest.mark.skipif(not FILTERED or not LANDLOCK, reason="no libseccomp, or no Landlock (Linux 5.19)")
def test_what_is_forbidden_with_an_output(forbidden, tmp_path):
    """Files are written in the directory of the output, and nowhere else."""
    place = tmp_path / "place"
    place.mkdir()
    works, outside = forbidden("core", "-o", place / "core", place=place)
    assert works == {"read", "create"}
    assert outside.read_bytes() == b"x" * 100
    works, _ = forbidden("core", "-o", place / "again")
    assert works == {"read"}


def test_processes_are_read_as_ever(pidmem, plain, file):
    """With a process among the targets nothing can be given up."""
    process = pidmem.start("diff", plain.pid, file, stdout=subprocess.PIPE)
    process.communicate(timeout=60)
    assert process.returncode in (1, 3)
    process, status = held(pidmem, "read", "--raw", plain.pid, f"{plain.written:x}" if "written" in plain.facts else
                           pidmem("maps", "-j", plain.pid).json["regions"][0]["start"], "1")
    process.communicate(timeout=60)
    assert process.returncode == 0
