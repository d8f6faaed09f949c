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


# A change in a millisecond, where it is about those just before the stop; else few enough for most to last until it.
@pytest.mark.parametrize("how, pace", [("drop", 3_000_000), ("huge", 3_000_000), ("pool", 3_000_000), ("reread", 3_000_000),
                                       ("replace", 500_000), ("move", 500_000)])
@pytest.mark.parametrize("way, before", [("precopy", []), ("precopy", [TARGETS / "oldkernel", "--untried"]), ("clone", [])],
                         ids=["precopy", "precopy, kernel before July 2026", "clone"])
def test_page_tables_that_go(pidmem, huge_pages, victim, tmp_path, way, before, how, pace):
    can(way)
    if how in ("pool", "reread"):
        huge_pages(2 * COUNT)  # a copy shares them
    one = victim("drops", how, COUNT, pace)
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
