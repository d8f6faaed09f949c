# SPDX-License-Identifier: LGPL-2.1-or-later
"""One moment: what threads write in order, all over the memory, is found in order in every snapshot."""

import os

import pytest
from conftest import PAGE, pattern
from core_reader import Core
from engines import given
from freezing import Held, rounds, save
from saved_file import Hole


def numbers(file, one, chain):
    """What the pages of a chain hold, in the order in which they are written."""
    places = [one.facts[f"{chain}{i}"] for i in range(64) if f"{chain}{i}" in one.facts]
    return [int.from_bytes(file.read(place, 8), "little") for place in places]


def broken(file, one, chains=("relay", "solo")):
    """The chains in which a page is behind the next one, or the first is more than one ahead of the last."""
    wrong = {}
    for chain in chains:
        found = numbers(file, one, chain)
        if found != sorted(found, reverse=True) or found[0] - found[-1] > 1 or found[-1] < 10:
            wrong[chain] = found
    return wrong


@pytest.mark.timeout(600)
@pytest.mark.parametrize("command", ["core", "dump"])
def test_one_moment(pidmem, victim, tmp_path, command, way):
    """200 snapshots with each engine: private memory, and what a copy lacks or does not freeze, is of the same moment."""
    one = victim("order")
    seen = set()
    for _ in range(rounds(15 if way == "stopped" else 140 if command == "core" else 60)):
        report, file = save(pidmem, one.pid, tmp_path / "file", command=command, way=way)
        with file:
            assert broken(file, one) == {}, report
            seen.add(tuple(numbers(file, one, "solo")))
    assert len(seen) > 1, "the threads stood still: nothing was proved"


@pytest.mark.parametrize("command", ["core", "dump"])
def test_read_live_it_breaks(pidmem, victim, tmp_path, command):
    """The victim is fast enough for the tests above to fail."""
    one = victim("order")
    for _ in range(20):
        _, file = save(pidmem, one.pid, tmp_path / "file", command=command, way="live")
        with file:
            if broken(file, one).keys() == {"relay", "solo"}:
                return
    pytest.fail("a live view was consistent 20 times")


def test_the_default_is_a_snapshot(pidmem, victim, tmp_path):
    one = victim("order")
    for command in "core", "dump":
        report, file = save(pidmem, one.pid, tmp_path / command, command=command)
        with file:
            assert report["consistency"] == "snapshot"
            # It writes much: the engine that stops it for the shorter time may be the other one.
            assert (report["fallback"] is None) == (report["engine"] == "precopy"), report
            assert report["threads"] == 4 and report["pause_us"] > 0
            assert broken(file, one) == {}


@pytest.mark.parametrize("shared,frozen", [("paused", True), ("auto", True), ("after", False)])
def test_shared_memory(pidmem, victim, tmp_path, shared, frozen, engine):
    """--shared=after keeps private memory of one moment, and shared memory is what it is later."""
    one = victim("order")
    for _ in range(rounds(30) if frozen else 30):
        _, file = save(pidmem, one.pid, tmp_path / "file", f"--shared={shared}", way=engine)
        with file:
            assert broken(file, one, ["solo"]) == {}
            if frozen:
                assert broken(file, one) == {}
            elif broken(file, one, ["relay"]):
                return
    assert frozen, "shared memory was never read after the pause"


@pytest.mark.parametrize("command", ["core", "dump"])
@pytest.mark.parametrize("role", ["root", "ordinary"])
def test_what_a_copy_lacks(pidmem, victim, user_dir, as_user, command, way, role):
    """DONTFORK and WIPEONFORK regions, unreadable ones and vast ones, and shared memory, with their bytes."""
    user = as_user if role == "ordinary" else None
    one = victim("lacking", user=user)
    # As an ordinary user nothing says what untouched shared memory holds, other than by touching it.
    given = [] if os.geteuid() == 0 and user is None else ["-R", "!shared"]
    report, file = save(pidmem, one.pid, user_dir / "file", *given, command=command, way=way, user=user)
    with file:
        for name, seed in (("dontfork", 50), ("wipeonfork", 51), ("private", 57)):
            start = one.facts[name]
            assert file.read(start, 2 * PAGE) == pattern(2, seed), name
            assert file.read(start + 2 * PAGE, PAGE) == bytes(PAGE), name
            assert file.read(start + 3 * PAGE, PAGE) == pattern(1, seed), name
        assert file.read(one.none, 4 * PAGE) == pattern(2, 55) + bytes(2 * PAGE)
        assert file.read(one.vast + (1 << 40), PAGE) == pattern(1, 58)
        if not given:
            for name, seed in (("shared", 52), ("shared_dontfork", 56), ("large", 53)):
                assert file.read(one.facts[name], 2 * PAGE) == pattern(2, seed), name
        if command == "dump":
            assert file.read(one.dontdump, 2 * PAGE) == pattern(2, 54)
        else:  # which also shows that the reader tells holes from zeros
            with pytest.raises(Hole):
                file.read(one.dontdump, PAGE)
    assert report["account"]["unreadable"] == 0, report


def test_changes_after_the_pause_are_not_seen(pidmem, victim, tmp_path):
    """While the save waits, the target changes everything: only what is too large for the pause is read later."""
    one = victim("lacking")
    held = Held(pidmem, one.pid)
    assert one.ask("change") == "changed"
    code, data, err = held.finish()
    assert code == 0, err
    (tmp_path / "core").write_bytes(data)
    with Core(tmp_path / "core") as core:
        assert core.check() == []
        for name, seed in (("dontfork", 50), ("wipeonfork", 51), ("shared", 52), ("shared_dontfork", 56),
                           ("private", 57)):
            assert core.read(one.facts[name], PAGE) == pattern(1, seed), name


def test_stopped_while_it_is_saved(pidmem, victim, tmp_path):
    """With --consistency=stopped the target answers only when the save is done."""
    one = victim("lacking")
    held = Held(pidmem, one.pid, "--consistency=stopped")
    one.tell("change")
    code, data, err = held.finish()
    assert code == 0, err
    assert one.line() == "changed"
    (tmp_path / "core").write_bytes(data)
    with Core(tmp_path / "core") as core:
        for name, seed in (("dontfork", 50), ("shared", 52), ("large", 53), ("private", 57)):
            assert core.read(one.facts[name], PAGE) == pattern(1, seed), name


def team_numbers(one, folder):
    """What each process of a team had noted, in the order of the team; their cores are removed."""
    found = []
    for pid in (one.pid, one.pid1, one.pid2):
        with Core(folder / f"core.{pid}") as core:
            assert core.check() == [] and core.threads[0].pid == pid
            found.append(int.from_bytes(core.read(one.page, 8), "little"))
    for file in list(folder.iterdir()):
        file.unlink()
    return found


def apart(found):
    return found != sorted(found, reverse=True) or found[0] - found[-1] > 1


@pytest.mark.parametrize("how", ["list", "tree"])
def test_several_processes_at_one_moment(pidmem, victim, tmp_path, how, engine):
    """What one process has handed on, none of the others has not got or had before."""
    one = victim("team", 3)
    targets = ["--tree", one.pid] if how == "tree" else [one.pid, one.pid1, one.pid2]
    seen = set()
    for _ in range(rounds(10)):
        result = pidmem("core", *given(engine), *targets, cwd=tmp_path)
        assert result.code == 0, result
        found = team_numbers(one, tmp_path)
        assert not apart(found), found
        seen.add(tuple(found))
    assert len(seen) > 1, "the team stood still: nothing was proved"


def test_one_by_one_they_are_apart(pidmem, victim, tmp_path):
    """The team is fast enough for the test above to fail."""
    one = victim("team", 3)
    for _ in range(5):
        for pid in (one.pid, one.pid1, one.pid2):
            assert pidmem("core", pid, cwd=tmp_path).code == 0
        if apart(team_numbers(one, tmp_path)):
            return
    pytest.fail("cores taken one by one were of one moment")
