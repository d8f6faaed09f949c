# SPDX-License-Identifier: LGPL-2.1-or-later
"""`core --tree`: all descendants, and those of whom there is none."""

import json
import os
import subprocess
import sys

import pytest
from core_reader import Core
from engines import WAYS, given
from freezing import wait_until


def descendants(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        mine = [int(child) for child in children.read().split()]
    return mine + [further for child in mine for further in descendants(child)]


def name_of(pid):
    with open(f"/proc/{pid}/comm") as name:
        return name.read().strip()


@pytest.mark.parametrize("way", [*WAYS, "live"])
def test_tree(pidmem, tmp_path, way):
    """A shell with a child that is a shell with children."""
    inner = "cat <&3 & cat <&3 & echo ready; wait"
    script = f"exec 3<&0; cat <&3 & sh -c '{inner}' & wait"
    with subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        assert shell.stdout.readline() == b"ready\n"
        wait_until(lambda: sorted(map(name_of, descendants(shell.pid))) != ["cat", "cat", "cat", "sh"])
        family = [shell.pid, *descendants(shell.pid)]
        result = pidmem("core", "--tree", "-j", *given(way), "-o", "family", shell.pid, cwd=tmp_path)
        shell.stdin.close()
        assert shell.wait(20) == 0
    assert result.code == 0 and result.err == "", result
    reports = [json.loads(line) for line in result.text.splitlines()]
    assert reports[0]["target"] == shell.pid and sorted(report["target"] for report in reports) == sorted(family)
    used = {report["engine"] or report["consistency"] for report in reports}
    # A descendant that is found in the stop has not been copied before.
    assert used == {way} or (way == "precopy" and used == {"precopy", "clone"})
    assert sorted(os.listdir(tmp_path)) == sorted(f"family.{pid}" for pid in family)
    for pid in family:
        with Core(tmp_path / f"family.{pid}") as core:
            assert core.check() == [] and [thread.pid for thread in core.threads] == [pid]


def test_tree_of_one_is_still_numbered(pidmem, plain, tmp_path):
    assert pidmem("core", "--tree", "-o", "x", plain.pid, cwd=tmp_path).code == 0
    assert os.listdir(tmp_path) == [f"x.{plain.pid}"]


@pytest.mark.parametrize("mode", [["--engine=clone"], given("clone"), given("precopy"), given("live")],
                         ids=["", "clone", "precopy", "live"])
def test_tree_of_ones_own_shell(pidmem, tmp_path, mode):
    """pidmem is a child of the shell, but not what is meant."""
    script = 'sleep 1000 & trap "kill $!" EXIT; "$0" core --tree "$@" $$'
    result = pidmem("-j", *mode, cwd=tmp_path, before=["sh", "-c", script])
    assert result.code == 0 and result.err == "", result
    reports = [json.loads(line) for line in result.text.splitlines()]
    assert [report["name"] for report in reports] == ["sh", "sleep"], result


def test_pidmem_that_is_named(pidmem, plain, tmp_path):
    result = pidmem("core", "-j", "--tree", plain.pid, "self", cwd=tmp_path)
    assert result.code in (0, 3), result
    assert [json.loads(line)["name"] for line in result.text.splitlines()] == ["plain", "pidmem"]


@pytest.mark.parametrize("mode", ["snapshot", "live"])
def test_zombies(pidmem, victim, tmp_path, mode):
    """They have no memory, which is told; a process whose first thread has ended has."""
    one = victim("ended")
    result = pidmem("core", "-j", "--tree", f"--consistency={mode}", one.pid, cwd=tmp_path)
    assert result.code == 0, result
    reports = {report["target"]: report for report in map(json.loads, result.text.splitlines())}
    assert reports.keys() == {one.pid, one.headless}
    assert (reports[one.pid]["zombies"], reports[one.headless]["zombies"]) == ([one.zombie], [])
    told = [line for line in result.err.splitlines() if "zombie" in line]
    assert len(told) == 1 and f"process {one.zombie}, a child of {one.pid}" in told[0], result


PARENT = """
import ctypes, os, sys, time
ours, theirs = os.pipe()
child = os.fork()
if child == 0:
    os.close(theirs)
    sys.exit(os.read(ours, 1))
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE
print(child, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("mode", [[], ["--consistency=snapshot"], ["--consistency=live"]])
def test_descendant_of_another_user(pidmem, user_dir, as_user, need_root, mode):
    """The cause and the way out are told as for one that was named."""
    with subprocess.Popen([sys.executable, "-c", PARENT, str(as_user)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        result = pidmem.fails("core", "--tree", *mode, parent.pid, cwd=user_dir, user=as_user)
        named = pidmem.fails("core", *mode, child, cwd=user_dir, user=as_user)
        parent.stdin.close()
        parent.wait(20)
    cause = named.err.split(": ", 2)[2]
    assert "user root" in cause and f"pidmem why {child}" in cause, named
    assert result.err.endswith(f"), a descendant of {parent.pid}: {cause}"), result
    assert f"process {child} (" in result.err and os.listdir(user_dir) == [], result


# With children that come and go while its memory is copied, and are over by the time that it is stopped.
RESTLESS = """
import subprocess
bytes = bytearray(b"x") * (100 << 20)
while True:
    subprocess.run(["sleep", "0.05"])
    print(flush=True)
"""


@pytest.mark.parametrize("way", ["precopy", "clone"])
def test_children_that_come_and_go(pidmem, tmp_path, way):
    """Whoever is there at the end is saved, and the others are no failure."""
    with subprocess.Popen([sys.executable, "-c", RESTLESS], stdout=subprocess.PIPE) as parent:
        try:
            parent.stdout.readline()
            for _ in range(5):
                result = pidmem("core", "--tree", "-j", "--force", *given(way), "-o", "tree", parent.pid, cwd=tmp_path)
                assert result.code == 0, result
                assert parent.pid in [json.loads(line)["target"] for line in result.text.splitlines()]
        finally:
            parent.kill()
