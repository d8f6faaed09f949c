# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each page written has a stamp, and for each moment it is known which: not one page may be torn, stale or too new.
Written by the program and, in all the ways there are, by the kernel (tests/targets/stamped.c)."""

import struct

import pytest
from conftest import PAGE
from core_reader import Core
from engines import given
from freezing import held_back, rounds, save, wait_until

# Written by stores, or by the kernel as if by stores. Two at full speed leave pidmem a part of two processors.
WRITERS = [("store", "read"), ("uring", "paced"), ("readv", "paced")]
WORDS, OTHERS = PAGE // 8, 8
STAMPS = slice(8 * (1 + OTHERS), PAGE)


class Writer:
    """One writer, as a file has it."""

    def __init__(self, file, one, number):
        self.started, self.done = struct.unpack("<2Q", file.read(one.facts[f"control{number}"], 16))
        self.count = one.facts[f"count{number}"]
        self.step, self.back = one.step, pow(one.step, -1, self.count)
        self.pages = file.read(one.facts[f"pages{number}"], self.count * PAGE)

    def page(self, index):
        return self.pages[index * PAGE:(index + 1) * PAGE]

    def last(self, index):
        """The last stamp that page got, by what the writer had done."""
        first = index * self.back % self.count
        return max(self.done - (self.done - first) % self.count, 0)

    def wrong(self, done):
        """Pages that are not as they must be; `done` is what each writer had done."""
        if self.started - self.done not in (0, 1):
            return [f"the stamps {self.started} and {self.done} are of two moments"]
        at_work = self.started * self.step % self.count if self.started > self.done else None
        found = []
        for index in range(self.count):
            page, last = self.page(index), self.last(index)
            if index == at_work:
                words = set(struct.unpack(f"<{WORDS}Q", page)[1 + OTHERS:])
                if not words <= {last, self.started}:
                    found.append(f"page {index}, at work on {self.started}: {words - {last, self.started}}")
            elif page[STAMPS] != last.to_bytes(8, "little") * (WORDS - 1 - OTHERS):
                words = set(struct.unpack(f"<{WORDS}Q", page)[1 + OTHERS:])
                kind = "torn" if len(words) > 1 else "stale" if min(words) < last else "too new"
                found.append(f"page {index} is {kind}: {sorted(words)[:4]} instead of {last}")
            elif any(seen > there for seen, there in zip(struct.unpack_from(f"<{OTHERS}Q", page, 8), done)):
                found.append(f"page {index} tells of what others had not done yet")
        return found


def wrong(file, one):
    writers = [Writer(file, one, number) for number in range(one.writers)]
    done = [writer.done for writer in writers] + [0] * OTHERS
    return {number: found[:5] + [f"{len(found)} of {writer.count}"]
            for number, writer in enumerate(writers) if (found := writer.wrong(done))}


def all_of_one_moment(pidmem, one, folder, times, *args, **options):
    """So many cores and dumps, each flawless, and not all of the same moment: how they were made."""
    seen, how = set(), set()
    for i in range(rounds(times)):
        report, file = save(pidmem, one.pid, folder / "file", *args, command="dump" if i % 4 == 3 else "core", **options)
        with file:
            assert wrong(file, one) == {}, (i, report)
            seen.add(tuple(file.read(one.facts[f"control{number}"], 16) for number in range(one.writers)))
            how.add((report["engine"], report["fallback"]))
    assert len(seen) > 1, "the writers stood still: nothing was proved"
    return how


@pytest.mark.timeout(900)
@pytest.mark.parametrize("modes", WRITERS, ids="-".join)
def test_no_page_is_torn_or_stale(pidmem, victim, tmp_path, engine, modes):
    """200 of each engine."""
    one = victim("stamped", "small", 4, *modes, cwd=tmp_path)
    all_of_one_moment(pidmem, one, tmp_path, 67, way=engine)
    wait_until(held_back, one.pid)


@pytest.mark.timeout(300)
def test_large_memory(pidmem, victim, tmp_path, engine):
    """So much that two threads share the looks at its page tables in the stop."""
    one = victim("stamped", "small", 136, "store", "paced", cwd=tmp_path)
    all_of_one_moment(pidmem, one, tmp_path, 10, way=engine)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("modes", WRITERS, ids="-".join)
def test_read_live_pages_are(pidmem, victim, tmp_path, modes):
    """The victim is fast enough for the test above to fail, with every writer."""
    one = victim("stamped", "small", 4, *modes, cwd=tmp_path)
    broken = set()
    for _ in range(50):
        _, file = save(pidmem, one.pid, tmp_path / "file", way="live")
        with file:
            broken |= wrong(file, one).keys()
        if len(broken) == one.writers:
            return
    pytest.fail(f"live views were right for the writers {set(range(one.writers)) - broken}")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["thp", "file", "shared"])
def test_kinds_of_memory(pidmem, victim, tmp_path, engine, kind):
    """Huge pages, private pages of a file; shared memory during the pause."""
    one = victim("stamped", kind, 4, "store", "read", cwd=tmp_path)
    all_of_one_moment(pidmem, one, tmp_path, 30, "--shared=paused", way=engine)
    wait_until(held_back, one.pid)


@pytest.mark.timeout(300)
def test_pages_of_a_huge_page_pool(pidmem, huge_pages, victim, tmp_path, engine):
    """hugetlb(7): with pages left in the pool for those that a copy shares."""
    huge_pages(8)
    one = victim("stamped", "hugetlb", 2, "store", "read", cwd=tmp_path)
    all_of_one_moment(pidmem, one, tmp_path, 20, way=engine)
    wait_until(held_back, one.pid)


@pytest.mark.timeout(300)
def test_pages_that_are_swapped_out(pidmem, victim, tmp_path, swap):
    """And in again, all the time. To read them in the target would bring them back into memory: the copy does that."""
    one = victim("stamped", "small", 2, "paced", "read", "pageout", cwd=tmp_path)
    all_of_one_moment(pidmem, one, tmp_path, 30, way="clone")
    how = all_of_one_moment(pidmem, one, tmp_path, 20, "--engine=precopy")
    assert all(engine == "precopy" or "swap" in why for engine, why in how), how
    assert "clone" in dict(how), "nothing was swapped out"
    wait_until(held_back, one.pid)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["vm_writev", "direct", "uring_fixed"])
def test_pinned_pages(pidmem, victim, tmp_path, engine, mode):
    """The kernel writes to them past the page tables: what cannot be tracked must be found out, and another way taken."""
    one = victim("stamped", "small", 4, mode, "paced", cwd=tmp_path)
    for used, why in all_of_one_moment(pidmem, one, tmp_path, 60, f"--engine={engine}"):
        assert used == engine or "direct I/O" in why or "pinned" in why, why


@pytest.mark.timeout(300)
def test_written_from_outside(pidmem, victim, tmp_path):
    """By a process that nobody stops: a copy is of one moment even then."""
    one = victim("stamped", "small", 4, "outside", "paced", cwd=tmp_path)
    all_of_one_moment(pidmem, one, tmp_path, 40, way="clone")


@pytest.mark.timeout(300)
def test_written_by_who_shares_the_memory(pidmem, victim, tmp_path, engine):
    """He runs on through every stop: only a copy of the page tables is of one moment."""
    one = victim("stamped", "small", 4, "sharer", "paced", cwd=tmp_path)
    for used, why in all_of_one_moment(pidmem, one, tmp_path, 40, f"--engine={engine}"):
        assert used == "clone" and (engine == "clone" or "shares its memory" in why), (used, why)


@pytest.mark.timeout(300)
def test_written_by_a_descendant(pidmem, victim, tmp_path, engine):
    """With --tree the one who writes is stopped as well."""
    one = victim("stamped", "small", 4, "outside", "paced", cwd=tmp_path)
    for i in range(rounds(40)):
        result = pidmem("core", "--force", "--tree", *given(engine), "-o", tmp_path / "core", one.pid)
        assert result.code == 0, result
        with Core(tmp_path / f"core.{one.pid}") as core:
            assert wrong(core, one) == {}, i
