# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory that goes while it is copied, with its page tables: what was copied of it is not told as if it were there."""

import pytest
from conftest import TARGETS, can, pattern
from freezing import rounds, save
from saved_file import Hole

BLOCK, PAGES, COUNT = 2 << 20, 512, 12
FULL, CHANGING, EMPTY = range(3)


def block(core, address):
    try:
        return core.read(address, BLOCK)
    except Hole:  # of a mapping that was never written to
        return bytes(BLOCK)


@pytest.mark.parametrize("how", ["drop", "huge", "replace", "move"])
@pytest.mark.parametrize("way, before", [("precopy", []), ("precopy", [TARGETS / "oldkernel", "--untried"]), ("clone", [])],
                         ids=["precopy", "precopy, kernel before July 2026", "clone"])
def test_page_tables_that_go(pidmem, victim, tmp_path, way, before, how):
    can(way)
    one = victim("drops", how, COUNT)
    assert one.facts["blocks"] == COUNT
    full = [pattern(PAGES, i) for i in range(COUNT)]
    seen = set()
    for _ in range(rounds(15)):
        _, core = save(pidmem, one.pid, tmp_path / "core", way=way, before=before)
        with core:
            state = memoryview(core.read(one.state, 4 * COUNT)).cast("i")
            for i in range(COUNT):
                content = block(core, one.at + i * BLOCK)
                if state[i] != CHANGING:
                    assert content == (full[i] if state[i] == FULL else bytes(BLOCK)), (i, state[i], content[:16])
                if state[i] == EMPTY and how == "move":
                    assert core.read(one.elsewhere + i * BLOCK, BLOCK) == full[i], i
                seen.add(state[i])
    assert seen >= {FULL, EMPTY}, seen


def test_too_much_in_the_stop(pidmem, victim, tmp_path):
    """A mapping that is moved to others becomes one with them, and none of it is tracked any more. If that is just before
    the stop, all of it would have to be copied in it."""
    can("precopy")
    one = victim("drops", "move", 40, 20_000_000)
    ways = set()
    for _ in range(rounds(20)):
        report, core = save(pidmem, one.pid, tmp_path / "core")
        core.close()
        ways.add(report["engine"])
        assert report["untracked"] <= 64 << 20, report
        assert report["engine"] == "precopy" or "64 MiB" in report["fallback"] or "faster" in report["fallback"], report
    assert "clone" in ways, ways
