# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory that is wanted in part, or at times: what is saved of it is its content."""

import pytest
from conftest import PAGE, pattern
from freezing import rounds, save
from saved_file import Hole

PAGES = 64


def content(file, address):
    """Each page: True for what it holds, False for other bytes, None for what the file does not have."""

    def page(i):
        try:
            return file.read(address + i * PAGE, PAGE) == pattern(1, 77, i)
        except Hole:
            return None

    return [page(i) for i in range(PAGES)]


@pytest.mark.parametrize("command, how", [("core", "dump"), ("dump", "protect")])
def test_memory_that_is_wanted_at_times(pidmem, victim, tmp_path, engine, command, how):
    """All of it or none; of what is named by its address as well, that part at least. Never zeros in its place."""
    one = victim("wishes", tmp_path / "blob", how, 16)
    select = ["-R", "blob:rw-p", "-R", f"{one.pages:x}-{one.pages + PAGE:x}", "-R", "anon"] if how == "protect" else []
    seen = set()
    for _ in range(rounds(40)):
        _, file = save(pidmem, one.pid, tmp_path / "file", *select, command=command, way=engine)
        with file:
            first, *others = content(file, one.pages)
        assert first is True or (command == "core" and first is None)
        assert others in ([True] * (PAGES - 1), [None] * (PAGES - 1)), (first, others)
        seen.add(others[0])
    assert len(seen) == 2 or rounds(40) < 20, "it was wanted always, or never: nothing was proved"


def test_part_of_a_mapping_with_huge_pages_around(pidmem, victim, tmp_path, engine):
    """A stretch by its address, whose ends are not those of huge pages."""
    one = victim("leave", 16)
    start, size = one.region + 3 * PAGE, (5 << 20) + PAGE
    select = ["-R", f"{start:x}-{start + size:x}"]
    report, dump = save(pidmem, one.pid, tmp_path / "dump", *select, command="dump", way=engine)
    with dump:
        for page in 3, 512, 1024, 3 + size // PAGE - 1:
            assert dump.read(one.region + page * PAGE, 16) == b"001b:%010x\n" % page
        for page in 0, 2, 3 + size // PAGE, 4095:
            with pytest.raises(Hole):
                dump.read(one.region + page * PAGE, 16)
    assert report["account"]["read"] == size, report["account"]
