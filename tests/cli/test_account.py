# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every byte accounted for: on every process of this machine, the classes add up to the size of its regions."""

import os

import oracle
import pytest
from conftest import check_account


def processes(uid=None):
    """PIDs with an address space, of one user or of all."""
    for name in sorted(filter(str.isdigit, os.listdir("/proc")), key=int):
        try:
            if (uid is None or os.stat(f"/proc/{name}").st_uid == uid) and oracle.regions(name):
                yield int(name)
        except OSError:
            continue  # a kernel thread has no regions; some end meanwhile; others are not ours


def state(pid):
    """What tells whether the address space stayed the same while it was counted."""
    try:
        with open(f"/proc/{pid}/maps", "rb") as maps:
            return maps.read()
    except OSError:
        return None


def count(pidmem, pid, user=None):
    """The account of a dump to nowhere, and the size of all regions; None if the process changed meanwhile."""
    for _ in range(5):
        before = state(pid)
        result = pidmem("dump", "-j", "-o", "/dev/null", pid, user=user)
        if not before or before != state(pid):
            continue  # it changed or ended meanwhile
        assert result.code in (0, 3), (pid, result)
        return result, sum(region.size for region in oracle.regions(pid))
    return None


def check_all(pidmem, pids, user=None):
    checked = 0
    for pid in pids:
        found = count(pidmem, pid, user)
        if found is None:
            continue
        result, size = found
        account = check_account(result.json["account"])
        assert account["total"] == size, (pid, account)
        holes = result.json["holes"]
        for cls in ("no_content", "unreadable"):
            listed = sum(int(hole["end"], 16) - int(hole["start"], 16) for hole in holes if hole["class"] == cls)
            assert listed == account[cls], (pid, cls)
        assert (result.code == 3) == (account["unreadable"] > 0), (pid, result)
        checked += 1
    return checked


def test_every_process(pidmem, victim, tmp_path):
    for name in ("plain", "guard", "untouched"):
        victim(name)
    for name in ("truncated", "noaccess", "cow"):
        victim(name, tmp_path / name)
    everybody = list(processes(None if os.geteuid() == 0 else os.geteuid()))
    assert check_all(pidmem, everybody) >= 6, "too few processes held still"


def test_every_process_of_an_ordinary_user(pidmem, victim, user_dir, as_user):
    started = [victim(name, user=as_user) for name in ("plain", "guard", "untouched", "memfd", "family", "uffd")]
    started += [victim(name, user_dir / name, user=as_user) for name in ("truncated", "noaccess", "cow")]
    pids = {one.pid for one in started} | {started[4].child}
    pids |= set(processes(as_user if as_user is not None else os.geteuid()))
    assert check_all(pidmem, sorted(pids), as_user) >= len(started)


@pytest.mark.parametrize("start,size", [(0, 16), (0, 4096), (1, 4095), (4095, 2), (0, 65536), (8, 60000)])
def test_read_accounts_for_what_was_asked(pidmem, victim, start, size):
    one = victim("guard")
    result = pidmem("read", "-j", one.pid, f"{one.region + start:x}", str(size))
    assert result.code == 0, result
    account = check_account(result.json["account"])
    assert account["total"] == size
    guarded = sum(start <= page * 4096 + byte < start + size for page in (0, 7, 8, 15) for byte in range(4096))
    assert account["no_content"] == guarded


def test_filtered_account_still_covers_everything(pidmem, victim):
    one = victim("plain")
    size = sum(region.size for region in oracle.regions(one.pid))
    for select in (["heap"], ["anon", "stack"], ["!file"], ["libc*:rx"], ["shared"]):
        options = [word for term in select for word in ("-R", term)]
        result = pidmem("dump", "-j", "-o", "/dev/null", *options, one.pid)
        assert result.code in (0, 2), result
        if result.code == 0:
            assert check_account(result.json["account"])["total"] == size, select
