# SPDX-License-Identifier: LGPL-2.1-or-later
"""Of which processes cores and dumps are taken, which are refused, and what is told of them."""

import os
import subprocess

import pytest
from conftest import TARGETS
from core_saving import check_core
from freezing import Held, children, kill, state, wait_until
from middle import SIZE, Middle


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
        err = pidmem.fails(command, f"--consistency={mode}", "-o", "h", one.pid, cwd=tmp_path).err
        assert "trace" in err and "--consistency=live" in err, err
    assert not (tmp_path / "h").exists()


@pytest.mark.parametrize("command", ["core", "dump"])
def test_itself(pidmem, tmp_path, command):
    """It cannot stop itself."""
    result = pidmem(command, "-j", "-o", "f", "self", cwd=tmp_path)
    assert result.code in (0, 3) and result.json["consistency"] == "live" and result.json["fallback"], result
    for mode in ("stopped", "snapshot"):
        err = pidmem.fails(command, f"--consistency={mode}", "-o", "g", "self", cwd=tmp_path).err
        assert "--consistency=live" in err, err
    assert not (tmp_path / "g").exists()


def test_no_copy_by_hand(pidmem, victim, tmp_path):
    """Into a pipe there is one way alone: what can be had instead is named as it is written."""
    one = victim("uffd")
    err = pidmem.fails("core", "--consistency=snapshot", "--engine=clone", "-o", "-", one.pid, cwd=tmp_path).err
    assert "userfaultfd" in err and "--consistency=stopped" in err and os.listdir(tmp_path) == [], err


ELSEWHERE = 'mount --rbind /proc "$0" && mount -t proc none /proc && exec "$@"'


@pytest.mark.parametrize("mode", ["stopped", "snapshot"])
def test_process_of_another_pid_namespace(pidmem, plain, tmp_path, need_root, mode):
    """Seen through the procfs of the host, from a container: it can be read, but not be stopped."""
    (tmp_path / "proc").mkdir()
    before = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "sh", "-c", ELSEWHERE, tmp_path / "proc"]
    args = ["--proc", tmp_path / "proc", "-o", tmp_path / "c", plain.pid]
    result = pidmem("core", "-j", *args, before=before)
    assert result.code == 0 and result.json["consistency"] == "live" and "PID namespace" in result.err, result
    os.unlink(tmp_path / "c")
    err = pidmem.fails("core", f"--consistency={mode}", *args, before=before).err
    assert "nsenter" in err and "--consistency=live" in err, err
    assert os.listdir(tmp_path) == ["proc"]


def test_the_copy_is_ended(pidmem, victim):
    one = victim("leave", 64)
    held = Held(pidmem, one.pid)
    copy, = children(one.pid)
    kill(copy)
    wait_until(lambda: state(copy) != "Z" and f"the copy is {state(copy)}")
    assert "--consistency=stopped" in held.finish()[2]


def test_exec_while_it_is_read(pidmem, victim, tmp_path):
    """Another program now: it may be tried again."""
    one = victim("leave", SIZE)
    middle = Middle(pidmem, one.pid, tmp_path)
    one.tell(f"exec {TARGETS}/plain")
    one.listen()
    err = middle.finish()[2]
    assert "replaced itself" in err and "hint: try again" in err, err

