# SPDX-License-Identifier: LGPL-2.1-or-later
"""Without PAGEMAP_SCAN, PROCMAP_QUERY and pidfd_open, as on older kernels: slower perhaps, the same answers."""

import pytest
from conftest import BLIND, PAGE, TARGETS
from dump_reader import Dump
from dumping import take
from oracle import judge
from test_undisturbed import portrait


@pytest.fixture
def old(pidmem):
    """The same command under the launcher that makes the newer calls fail."""
    launcher = TARGETS / "oldkernel"

    def run(*args, **options):
        result = pidmem(*args, before=[launcher], **options)
        if result.code == 77:
            pytest.skip(f"seccomp filters are not to be had: {result.err}")
        return result

    return run


def rough(account):
    """Without PAGEMAP_SCAN the kernel's zero page is found by reading it: still zero. All classes must agree."""
    return {key: account[key] for key in ("total", "read", "zero", "excluded", "no_content", "unreadable")}


@pytest.mark.parametrize("name", ["plain", "guard", "memfd", "straddle", "thp", "uffd", "secrets", "cow", "truncated",
                                  "noaccess"])
def test_dump_is_the_same(pidmem, old, victim, tmp_path, name):
    files = [tmp_path / "file"] if name in ("secrets", "cow", "truncated", "noaccess") else []
    one = victim(name, *files)
    one.stop()
    code = BLIND if name in ("memfd", "uffd", "secrets", "noaccess") else 0
    report, new_dump = take(pidmem, one.pid, tmp_path, code=code, name="new")
    result = old("dump", "-j", "--consistency=live", "-o", tmp_path / "old", one.pid)
    assert result.code == code, result
    assert rough(result.json["account"]) == rough(report["account"])
    with Dump(tmp_path / "old") as old_dump, new_dump:
        assert old_dump.check(report["account"]) == []
        assert old_dump.lines == new_dump.lines
        assert (tmp_path / "old").read_bytes() == (tmp_path / "new").read_bytes()
        assert judge(one.pid, old_dump) == []


def test_maps_is_the_same(pidmem, old, victim):
    one = victim("plain")
    one.stop()
    assert old("maps", "-j", one.pid).json == pidmem("maps", "-j", one.pid).json
    assert old("maps", "-x", one.pid).out == pidmem("maps", "-x", one.pid).out


def test_read_is_the_same(pidmem, old, victim):
    one = victim("guard")
    one.stop()
    for start, size in ((0, 3 * PAGE), (PAGE, 100), (6 * PAGE, 4 * PAGE)):
        ours = pidmem("read", one.pid, f"{one.region + start:x}", str(size))
        theirs = old("read", one.pid, f"{one.region + start:x}", str(size))
        assert (theirs.code, theirs.out) == (ours.code, ours.out)


def test_large_untouched_memory(old, victim, tmp_path):
    """2 GiB of nothing: half a million entries of pagemap, and still no page of the target."""
    one = victim("untouched")
    before = portrait(one.pid)
    result = old("dump", "-j", "-o", tmp_path / "d", one.pid)
    assert result.code == BLIND, result
    with Dump(tmp_path / "d") as dump:
        assert dump.explained(one.private, one.private + (2 << 30)) == {("zero", None)}
    assert portrait(one.pid)["RssShmem"] == before["RssShmem"]
