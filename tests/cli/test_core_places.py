# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where cores go: what is in the way, and that nothing is left behind of what fails."""

import os
import signal
import socket

import pytest
from core_saving import check_core, stops
from engines import ENGINES, given
from middle import SIZE, catch, check_failed


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


def test_place_where_nothing_can_be_made(pidmem, plain):
    """To root /proc looks like a directory that may be written."""
    assert "/proc" in pidmem.fails("core", plain.pid, cwd="/proc").err


def test_name_of_standard_output(pidmem, plain):
    """A symbolic link; what is meant is written otherwise."""
    assert "-o - writes" in pidmem.fails("core", "-o", "/dev/stdout", plain.pid).err


def test_too_few_open_files(pidmem, plain, tmp_path):
    result = pidmem.fails("core", plain.pid, cwd=tmp_path, before=["sh", "-c", 'ulimit -n 8; exec "$@"', "sh"])
    assert "ulimit -n" in result.err and os.listdir(tmp_path) == [], result


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


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("count", [1, 2])
def test_full_disk(pidmem, victim, tmp_path, need_root, count, engine):
    """The second core of two does not fit: the first one is removed as well."""
    ones = [victim("noise", size) for size in (1, 32)[-count:]]
    disk = tmp_path / "disk"
    disk.mkdir()
    script = ('mount -t tmpfs -o size=16m none "$0" && cd "$0" && { "$@"; code=$?; ls -A . >"../left"; exit $code; }')
    # Of what is compressed nobody knows beforehand whether there is room for it.
    result = pidmem.fails("core", "-z1", *given(engine), *[one.pid for one in ones],
                          before=["unshare", "--mount", "sh", "-c", script, disk])
    # Pre-copy does not know the names yet, but the directory.
    assert "space" in result.err and (engine == "precopy" or f"core.{ones[-1].pid}" in result.err), result
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
    process = pidmem.start("core", "--engine=clone", small.pid, large.pid, cwd=tmp_path)
    if not catch(process):
        pytest.skip("it was done before it could be interrupted")
    assert os.listdir(tmp_path) == [f"core.{small.pid}"]
    os.kill(process.pid, signal.SIGINT)
    os.kill(process.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=20)
    check_failed(process.returncode, out, err.decode())
    assert os.listdir(tmp_path) == []
