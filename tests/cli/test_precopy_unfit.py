# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who is not copied while it runs: a clone is made, and the report says why (tests/targets/holds.c)."""

import pytest
from conftest import PAGE, pattern
from control_groups import Group
from engines import tracking_lacks
from freezing import children, held_back, save, wait_until
from test_freeze_limits import copied_while_it_ran

SERVED = "a file system that may write to memory by itself"


def kind_of(pidmem, victim, folder, kind, *args):
    """What is said against pre-copy, of a core that is right."""
    one = victim("holds", kind, folder)
    before = children(one.pid)
    report, core = save(pidmem, one.pid, folder.parent / "core", *args)
    with core:
        assert core.read(one.region, PAGE) == pattern(1, 64)
    assert report["engine"] == ("clone" if report["fallback"] else "precopy"), report
    wait_until(held_back, one.pid, before)
    return report["fallback"]


@pytest.fixture
def folder(tmp_path):
    """On kernels that track writes alone."""
    if lacks := tracking_lacks():
        pytest.skip(lacks)
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@pytest.mark.parametrize("args", [[], ["--engine=precopy"]], ids=["default", "precopy"])
@pytest.mark.parametrize("kind, why", [("fuse", SERVED), ("thread", "direct I/O"), ("own_ring", "in its own memory")])
def test_the_kernel_writes_past_the_page_tables(pidmem, victim, folder, kind, why, args):
    fallback = kind_of(pidmem, victim, folder, kind, *args)
    assert fallback and why in fallback, fallback


@pytest.mark.parametrize("kind", ["read", "write", "ring"])
def test_the_same_without_harm(pidmem, victim, folder, kind):
    assert kind_of(pidmem, victim, folder, kind) is None


def test_a_userfaultfd_of_its_own(pidmem, victim, folder):
    """Memory that it registers while it is tracked would be refused. Who asks for pre-copy gets it all the same."""
    fallback = kind_of(pidmem, victim, folder, "userfaultfd")
    assert fallback and "it uses userfaultfd itself" in fallback, fallback
    assert kind_of(pidmem, victim, folder, "userfaultfd", "--engine=precopy") is None


def test_a_userfaultfd_where_no_clone_can_be_made(pidmem, victim, folder):
    one = victim("holds", "userfaultfd")
    with Group("pids") as group:
        group.add(one.pid)
        group.limit(group.used())
        result = copied_while_it_ran(pidmem, one.pid, folder / "core", "pids.max", "processes", wish=[])
        assert result.json["consistency"] == "snapshot", result
        group.limit("max")
        wait_until(held_back, one.pid)
        assert one.end() == 0
