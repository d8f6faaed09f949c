# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory that cannot simply be tracked: of a program that uses userfaultfd itself, shared with others, in swap."""

import json
import struct

import pytest
from conftest import PAGE, pattern
from core_reader import Core
from engines import given
from freezing import Workers, changed, children, held_back, portrait_at_rest, rounds, save, status, wait_until
from test_freeze_consistency import broken, numbers

MIB = 1 << 20


@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", ["core", "dump"])
def test_a_program_with_its_own_userfaultfd(pidmem, victim, tmp_path, engine, command):
    """It goes on: each missing page is supplied once, each first write is told. A copy would not have those pages, and is
    not made."""
    one = victim("faults")
    worker = Workers(one)
    for _ in range(rounds(40)):
        report, file = save(pidmem, one.pid, tmp_path / "file", f"--engine={engine}", command=command)
        with file:
            assert file.read(one.plain, 64 * PAGE) == pattern(64, 64)
            counts = [file.word(one.written + i * PAGE) if command == "core" else
                      int.from_bytes(file.read(one.written + i * PAGE, 8), "little") for i in range(64)]
        # Each page is written once a round, in order: at one moment all are of the last 64 writes.
        assert max(counts) - min(counts) <= 64, (counts, report)
        if engine == "precopy":
            assert (report["engine"], report["fallback"]) == ("precopy", None), report
        else:
            assert report["engine"] != "clone" and "userfaultfd" in report["fallback"], report
        worker.progress()
    wait_until(held_back, one.pid)


def of_one_moment(pidmem, one, folder, engine, chains, *args):
    """Several times; the report of the last."""
    seen = set()
    for i in range(rounds(40)):
        command = "dump" if i % 4 == 3 else "core"
        report, file = save(pidmem, one.pid, folder / "file", *args, command=command, way=engine)
        with file:
            assert broken(file, one, chains) == {}, report
            seen.add(tuple(numbers(file, one, "solo")))
    assert len(seen) > 1, "it stood still: nothing was proved"
    return report


def huge(pid):
    """KiB of transparent huge pages."""
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as smaps:
        return sum(int(line.split()[1]) for line in smaps if line.startswith("AnonHugePages:"))


def test_huge_pages_stay_huge(pidmem, victim, tmp_path, engine):
    """Of one that is protected in part the kernel makes small ones."""
    one = victim("thp", 136)
    before = huge(one.pid)
    if not before:
        pytest.skip("the kernel gave no transparent huge page")
    for command in "core", "dump":
        _, file = save(pidmem, one.pid, tmp_path / "file", command=command, way=engine)
        file.close()
    wait_until(held_back, one.pid)
    assert huge(one.pid) == before


def test_a_large_mapping_is_let_go_in_a_stop(pidmem, victim, tmp_path):
    """Nobody waits for it to be gone through: so there is one stop more than for a small one."""
    small, large = victim("leave", 16), victim("leave", 136)
    stops = []
    for one in small, large:
        report, core = save(pidmem, one.pid, tmp_path / "core", way="precopy")
        with core:
            assert core.read(one.region + (16 << 20) - 4096, 16) == b"001b:0000000fff\n"
        wait_until(held_back, one.pid)
        assert not protected(one.pid, one.region, 16 << 20)
        stops.append(len(report["stops_us"]))
    assert stops == [2, 3]


def protected(pid, start, size):
    """Pages that are marked as protected for a userfaultfd (bit 57: Documentation/admin-guide/mm/pagemap.rst)."""
    with open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        pagemap.seek(start // PAGE * 8)
        entries = struct.unpack(f"<{size // PAGE}Q", pagemap.read(size // PAGE * 8))
    return sum(entry >> 57 & 1 for entry in entries)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("size", [0, 136])
def test_a_program_that_watches_its_own_writes(pidmem, victim, tmp_path, engine, size):
    """What it maps and watches while it is copied is in the core as it was, and it counts no write too many or too few."""
    one = victim("watching", size)
    worker = Workers(one)
    seen = 0
    for i in range(40):
        if seen and i >= rounds(40):
            break
        report, core = save(pidmem, one.pid, tmp_path / "core", f"--engine={engine}")
        assert engine != "precopy" or report["engine"] == "precopy", report  # who asks for it, gets it
        with core:
            number, written, pages = (core.word(one.ledger + i * 8) for i in range(3))
            values = [core.word(pages + i * PAGE) for i in range(256)] if pages else []
        first = {number * 2 + 1} if written == number else {number * 2, number * 2 + 1}
        assert set(values[:10]) <= first and set(values[10:]) <= {number * 2}, (number, written, values, report)
        seen += len(values) > 0
        worker.progress()
    assert seen, "it never watched anything"
    wait_until(held_back, one.pid)


def test_two_processes_with_one_address_space(pidmem, victim, tmp_path):
    """One goes on while the other one stands still: a clone of it is of one moment. With --tree both stand still, but not
    when tracking ends: so nothing may be let go in a way that he could see."""
    one = victim("sibling", 136)
    worker = Workers(one)
    for _ in range(rounds(10)):
        report, core = save(pidmem, one.pid, tmp_path / "core", "--engine=precopy")
        with core:
            assert core.read(one.region, 64 * PAGE) == pattern(64, 27)
        assert report["engine"] == "clone" and "another process shares its memory" in report["fallback"], report
        result = pidmem("core", "-j", "--force", "--tree", "--engine=precopy", "-o", tmp_path / "family", one.pid)
        assert result.code == 0, result
        reports = [json.loads(line) for line in result.text.splitlines()]
        assert sorted(report["engine"] for report in reports) == ["clone", "precopy"]
        assert any("shares its memory with another one" in (report["fallback"] or "") for report in reports)
        assert all(len(report["stops_us"]) == 2 for report in reports if report["engine"] == "precopy")
        with Core(tmp_path / f"family.{one.pid}") as core:
            assert core.read(one.region, 64 * PAGE) == pattern(64, 27)
        worker.progress()


@pytest.mark.timeout(300)
def test_shared_memory_with_a_writer_outside(pidmem, victim, tmp_path, engine):
    """What the target itself writes is of one moment, there too; what others write is not promised, but told as shared."""
    one = victim("neighbours", 2)
    report = of_one_moment(pidmem, one, tmp_path, engine, ["solo"])
    assert report["shared"]["paused"] >= 2 * MIB, report
    wait_until(held_back, one.pid, children(one.pid))


@pytest.mark.timeout(300)
def test_shared_memory_that_is_too_much_for_the_pause(pidmem, victim, tmp_path, engine):
    """It is read after it, and told so; or during it, if that is asked for."""
    one = victim("neighbours", 16)
    report = of_one_moment(pidmem, one, tmp_path, engine, ["solo"], "--shared=paused")
    assert report["shared"]["paused"] >= 16 * MIB and report["shared"]["after"] == 0, report
    report, core = save(pidmem, one.pid, tmp_path / "core", way=engine)
    with core:
        private = [number for i, number in enumerate(numbers(core, one, "solo")) if i % 2]
    assert private == sorted(private, reverse=True) and private[0] - private[-1] <= 1
    assert report["shared"]["after"] >= 16 * MIB, report


@pytest.mark.timeout(300)
def test_shared_memory_of_a_tree(pidmem, victim, tmp_path, engine):
    """All who write to it are stopped: then all of it is of one moment, and the same in both cores."""
    one = victim("neighbours", 2)
    for _ in range(rounds(40)):
        result = pidmem("core", "--force", "--tree", *given(engine), "-o", tmp_path / "core", one.pid)
        assert result.code == 0, result
        with Core(tmp_path / f"core.{one.pid}") as own, Core(tmp_path / f"core.{one.child}") as other:
            assert broken(own, one, ["solo", "shared"]) == {}
            assert numbers(other, one, "shared") == numbers(own, one, "shared")


def test_writers_outside_are_not_stopped(pidmem, victim, tmp_path, engine):
    """The neighbour is fast enough for the test above to fail."""
    one = victim("neighbours", 2)
    for _ in range(40):
        _, core = save(pidmem, one.pid, tmp_path / "core", way=engine)
        with core:
            if broken(core, one, ["shared"]):
                return
    pytest.fail("shared memory with a writer outside was of one moment 40 times")


def test_what_is_in_swap_stays_there(pidmem, victim, tmp_path, swap):
    """To read it in the target would bring it back into its memory."""
    one = victim("swapped")
    if status(one.pid)["VmSwap"] == "0 kB":
        pytest.skip("the kernel did not swap the pages out (MADV_PAGEOUT)")
    before = portrait_at_rest(one.pid)
    report, core = save(pidmem, one.pid, tmp_path / "core")
    with core:
        assert core.read(one.private, 64 * PAGE) == pattern(64, 21)
        assert core.read(one.shared, 64 * PAGE) == pattern(64, 22)
    assert report["consistency"] == "snapshot", report
    assert changed(one.pid, before).keys() <= {"RssShmem", "VmSwap"}, changed(one.pid, before)
