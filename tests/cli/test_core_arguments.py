# SPDX-License-Identifier: LGPL-2.1-or-later
"""The arguments of `core` and `dump`: what is taken, what is refused, what it leads to."""

import os
import subprocess
import sys

import pytest
from core_reader import Core
from programs import need


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


@pytest.mark.parametrize("command", ["core", "dump"])
def test_shared(pidmem, victim, tmp_path, command):
    """16 MiB of shared memory are more than the limit, unless it is raised."""
    one = victim("lacking")

    def saved(*args):
        return pidmem(command, "-j", "--force", *args, "-o", "c", one.pid, cwd=tmp_path).json["shared"]

    whole = saved("--shared=paused")
    assert whole["paused"] > 16 << 20 and whole["after"] == 0
    assert saved("--shared-limit=64M") == saved("--shared=auto", "--shared-limit", "0x4000000") == whole
    assert saved("--shared=after")["after"] > saved()["after"] >= 16 << 20


@pytest.mark.parametrize("args", [
    ["--filter", "zz"], ["--filter", ""], ["--filter", "0x"], ["--filter", "-1"], ["--filter", "200"],
    ["--filter", "100000000"], ["--filter", "33", "--all"]])
def test_arguments_that_are_wrong(pidmem, plain, tmp_path, args):
    pidmem.fails("core", *args, plain.pid, cwd=tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("args", [
    ["--shared=sometimes"], ["--shared-limit", "x"], ["--shared-limit", "0"],
    ["--shared=after", "--shared-limit", "1M"], ["--engine=magic"], ["--engine="], ["--max-pause", "0"],
    ["--max-pause", "-1"], ["--max-pause=soon"], ["--max-pause="], ["--max-pause=."], ["--max-pause=1e3"],
    ["--max-pause=0x5"], ["--max-pause=inf"], ["--max-pause=1e"], ["--max-pause= 5"], ["--max-pause=5ms"],
    ["--max-pause=99999999"]])
@pytest.mark.parametrize("command", ["core", "dump"])
def test_arguments_of_the_pause_that_are_wrong(pidmem, plain, tmp_path, command, args):
    pidmem.fails(command, *args, plain.pid, cwd=tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("option", ["--shared=paused", "--shared-limit=1M", "--engine=clone", "--max-pause=5"])
@pytest.mark.parametrize("mode", ["live", "stopped"])
@pytest.mark.parametrize("command", ["core", "dump"])
def test_arguments_for_snapshots_alone(pidmem, plain, tmp_path, command, mode, option):
    result = pidmem.fails(command, f"--consistency={mode}", option, plain.pid, cwd=tmp_path)
    assert option.split("=")[0] in result.err and "--consistency=snapshot" in result.err, result
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("args", [["--engine=auto"], ["--engine=clone"], ["--engine=precopy"], ["--max-pause=20000"],
                                  ["--max-pause", "9999.5"], ["--shared=auto", "--shared-limit=64M"]])
@pytest.mark.parametrize("command", ["core", "dump"])
def test_arguments_that_are_right(pidmem, plain, tmp_path, command, args):
    report = pidmem(command, "-j", *args, plain.pid, cwd=tmp_path).json
    assert report["consistency"] == "snapshot", report
    if args == ["--engine=clone"]:
        assert (report["engine"], report["passes"], report["untracked"]) == ("clone", 0, 0), report


def test_process_that_is_named_twice(pidmem, plain, tmp_path):
    assert "twice" in pidmem.fails("core", plain.pid, f"0{plain.pid}", cwd=tmp_path).err
    assert os.listdir(tmp_path) == []


def test_gdb_opens_it(pidmem, plain, tmp_path):
    gdb = need("gdb")
    assert pidmem("core", "-o", "c", plain.pid, cwd=tmp_path).code == 0
    run = subprocess.run([gdb, "-nx", "-batch", "-ex", "info threads", "-ex", "bt", f"/proc/{plain.pid}/exe",
                          tmp_path / "c"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert f"LWP {plain.pid}" in run.stdout and "main" in run.stdout, (run, sys.version)
