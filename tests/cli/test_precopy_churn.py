# SPDX-License-Identifier: LGPL-2.1-or-later
"""An address space that never stands still: what is mapped, moved, grown, dropped and protected all the time is in the
file as it was at one moment, and so is what threads write meanwhile (tests/targets/churn.c)."""

import struct

import pytest
from conftest import PAGE
from freezing import children, held_back, rounds, save, wait_until
from saved_file import Hole
from test_freeze_consistency import broken

FIELDS = ("begun", "done", "address", "pages", "stamp", "stamped", "freed")


class Slot:
    def __init__(self, number, values):
        self.number = number
        self.__dict__.update(zip(FIELDS, values))

    def right(self, page):
        """What a page may be."""
        if page >= self.stamped:
            return [bytes(PAGE)]
        stamped = (self.stamp << 20 | page).to_bytes(8, "little") * (PAGE // 8)
        return [stamped, bytes(PAGE)] if self.freed else [stamped]

    def wrong(self, file):
        if self.begun != self.done or not self.address:
            return []
        found = []
        for page in range(self.pages):
            try:
                data = file.read(self.address + page * PAGE, PAGE)
            except Hole:  # a core has no bytes of a region that has none
                data = bytes(PAGE)
            if data not in self.right(page):
                words = sorted(set(struct.unpack(f"<{PAGE // 8}Q", data)))
                found.append(f"page {page}: {[(word >> 20, word & 0xFFFFF) for word in words[:3]]}")
        return [f"{self.__dict__}: {found[:4]} of {len(found)}"] if found else []


def slots(file, one):
    size = 8 * len(FIELDS)
    return [Slot(number, values) for number, values in
            enumerate(struct.iter_unpack(f"<{len(FIELDS)}Q", file.read(one.ledger, size * one.slots)))]


def mapped(file, one):
    """Pages of the rooms that the file tells of, as what is in memory."""
    ranges = file.segments if hasattr(file, "segments") else file.records
    return {page for each in ranges if each.start < one.rooms_end and each.end > one.rooms
            for page in range(each.start, each.end, PAGE)}


def wrong(file, one):
    found = [said for slot in slots(file, one) for said in slot.wrong(file)] + list(broken(file, one, ["solo"]).items())
    known = {slot.address + page * PAGE for slot in slots(file, one)[1:] for page in range(slot.pages)}
    if all(slot.begun == slot.done for slot in slots(file, one)) and mapped(file, one) != known:
        found.append(f"mapped, but not noted: {sorted(map(hex, mapped(file, one) - known))[:4]}; "
                     f"noted, but not mapped: {sorted(map(hex, known - mapped(file, one)))[:4]}")
    return found


def of_one_moment(pidmem, one, folder, times, engine, *args):
    seen = set()
    for i in range(rounds(times)):
        command = "dump" if i % 4 == 3 else "core"
        report, file = save(pidmem, one.pid, folder / "file", *args, command=command, way=engine)
        with file:
            assert wrong(file, one) == [], (i, report)
            seen.add(file.read(one.ledger, 8 * len(FIELDS) * one.slots))
    assert len(seen) > 1, "it stood still: nothing was proved"
    wait_until(lambda: [said for said in held_back(one.pid, children(one.pid))])


@pytest.mark.timeout(900)
def test_address_space_of_one_moment(pidmem, victim, tmp_path, engine):
    """200 of each engine. Its children, and their programs, are started and waited for undisturbed."""
    of_one_moment(pidmem, victim("churn"), tmp_path, 200, engine)


@pytest.mark.timeout(300)
def test_shared_mappings_that_come_and_go(pidmem, victim, tmp_path, engine):
    """They are saved during the pause, those too that came just before it."""
    of_one_moment(pidmem, victim("churn", "shared"), tmp_path, 40, engine, "--shared=paused")


def test_read_live_it_is_not(pidmem, victim, tmp_path):
    """The victim is fast enough for the test above to fail."""
    one = victim("churn")
    for _ in range(30):
        _, file = save(pidmem, one.pid, tmp_path / "file", way="live")
        with file:
            found = wrong(file, one)
            if any("page" in said for said in found if isinstance(said, str)):
                return
    pytest.fail("live views were of one moment 30 times")
