# SPDX-License-Identifier: LGPL-2.1-or-later
"""Narrowing what was found: find --save, find --in."""

import os
import signal
import struct

import pytest
from conftest import PAGE
from finding import BASE, find, write_dump


def dump(path, values, other=b""):
    write_dump(path, [(BASE, struct.pack(f"<{len(values)}i", *values) + other.ljust(PAGE - 4 * len(values), b"\xee"))])
    return path


@pytest.fixture
def saved(pidmem, tmp_path):
    """A file of three values that were 7."""
    found = find(pidmem, dump(tmp_path / "one", [7, 7, 5, 7]), "-t", "i32", "-a", "4", "--save", tmp_path / "found", "7")
    assert found.addresses == [BASE, BASE + 4, BASE + 12]
    assert os.stat(tmp_path / "found").st_mode & 0o777 == 0o600
    return tmp_path / "found"


def test_what_has_become_of_them(pidmem, tmp_path, saved):
    now = dump(tmp_path / "two", [7, 9, 7, -2])
    for change, places in (("changed", [4, 12]), ("unchanged", [0]), ("increased", [4]), ("decreased", [12])):
        found = find(pidmem, now, "--in", saved, change)
        assert found.addresses == [BASE + place for place in places], change
        assert all(match["was"] == struct.pack("<i", 7).hex() for match in found.matches)
    assert find(pidmem, now, "--in", saved).addresses == [BASE, BASE + 4, BASE + 12]
    assert find(pidmem, now, "--in", saved, "-t", "i32", "8..10").addresses == [BASE + 4]
    assert find(pidmem, now, "--in", saved, "-t", "i32", "7").addresses == [BASE]


def test_a_word_stands_alone(pidmem, tmp_path, saved):
    now = dump(tmp_path / "two", [7, 9, 7, -2])
    for words in (["changed", "increased"], ["changed", "seven"], ["seven", "changed"], ["-e", "seven", "changed"]):
        assert "stands alone" in pidmem.fails("find", now, "--in", saved, *words).err, words
    assert find(pidmem, now, "--in", saved, "-e", "changed").matches == []


def test_values_are_shown(pidmem, tmp_path, saved):
    """To people, and what they were: also where no pattern says that they are values."""
    now = dump(tmp_path / "two", [7, 9, 7, -2])
    for args in (["changed"], [], ["-t", "i32", "--", "-2..9"]):
        lines = pidmem("find", now, "--in", saved, *args).text.splitlines()
        assert f"0x{BASE + 12:x}  anon+0xc  rw-p  -2  was 7" in lines, (args, lines)


def test_again_and_again(pidmem, tmp_path, saved):
    """A file can be replaced by what is left of it, and knows the new values."""
    assert pidmem("find", dump(tmp_path / "two", [8, 8, 8, 7]), "--in", saved, "--save", saved, "changed").code == 2
    assert len(find(pidmem, tmp_path / "two", "--in", saved, "--save", saved, "--force", "changed").matches) == 2
    assert find(pidmem, dump(tmp_path / "three", [8, 9, 8, 8]), "--in", saved, "increased").addresses == [BASE + 4]


def test_limit_of_what_is_shown(pidmem, tmp_path):
    now = dump(tmp_path / "one", [3] * 500)
    result = pidmem("find", now, "-t", "i32", "-a", "4", "-l", "0", "--save", tmp_path / "found", "3")
    assert result.code == 0 and result.text.startswith("500 matches in "), result
    assert len(find(pidmem, now, "--in", tmp_path / "found", "unchanged").matches) == 500


def test_text_and_expressions(pidmem, tmp_path):
    write_dump(tmp_path / "one", [(BASE, b"user=alice user=bob".ljust(PAGE, b"\xff"))])
    write_dump(tmp_path / "two", [(BASE, b"user=alice user=eve".ljust(PAGE, b"\xff"))])
    find(pidmem, tmp_path / "one", "-e", r"(?<=user=)\w+", "--save", tmp_path / "found")
    assert find(pidmem, tmp_path / "two", "--in", tmp_path / "found", "changed").places == [(BASE + 16, 3)]
    assert find(pidmem, tmp_path / "two", "--in", tmp_path / "found", "-e", r"(?<==)ev").places == [(BASE + 16, 2)]
    assert find(pidmem, tmp_path / "two", "--in", tmp_path / "found", "alice").places == [(BASE + 5, 5)]
    result = pidmem.fails("find", tmp_path / "two", "--in", tmp_path / "found", "increased", hint=False)
    assert "not values" in result.err


def test_what_is_gone(pidmem, tmp_path, saved):
    """Places that are not there any more are not among the rest; those that cannot be read are told."""
    write_dump(tmp_path / "two", [(BASE + PAGE, b"x" * PAGE)])
    assert find(pidmem, tmp_path / "two", "--in", saved).matches == []
    write_dump(tmp_path / "three", [(BASE, PAGE, "unreadable", "io")])
    assert find(pidmem, tmp_path / "three", "--in", saved, code=(3,)).matches == []


def test_many_places_far_apart(pidmem, tmp_path):
    """Dense and sparse ones: all are looked at, and nothing else is read twice or left out of the account."""
    pieces = [(BASE + i * 64 * PAGE, struct.pack("<1024i", *([i + 1] * 1024))) for i in range(60)]
    pieces += [(BASE + 64 * 60 * PAGE, struct.pack("<1024i", *([5] * 1024)) * 120)]
    write_dump(tmp_path / "dump", pieces)
    first = find(pidmem, tmp_path / "dump", "-t", "i32", "-a", "4", "1..60", "--save", tmp_path / "found")
    assert len(first.matches) == 1024 * 180
    second = find(pidmem, tmp_path / "dump", "--in", tmp_path / "found", "unchanged")
    assert second.addresses == first.addresses
    assert second.end["account"]["total"] == first.end["account"]["total"]


@pytest.mark.parametrize("cut", [1, 8, 9, 12, 30])
def test_damaged_file(pidmem, tmp_path, saved, cut):
    data = saved.read_bytes()
    saved.write_bytes(data[:-cut] if cut < 30 else data + b"\0")
    result = pidmem("find", tmp_path / "one", "--in", saved, "unchanged")
    assert result.code == 2 and "damaged" in result.err, result


def test_live(pidmem, victim, tmp_path):
    """On a process that runs on, without stopping it."""
    one = victim("busy")
    first = find(pidmem, one.pid, "-R", ":w", "-t", "u64", "-a", "8", "1..0xffffffffffff", "--save", tmp_path / "found")
    changed = find(pidmem, one.pid, "--in", tmp_path / "found", "changed")
    assert changed.end["consistency"] == "live" and changed.end["stops_us"] == []
    assert set(changed.addresses) <= set(first.addresses)
    assert changed.matches, "nothing of a busy process has changed"


def test_interrupted_in_terabytes_of_zeros(pidmem, victim, tmp_path):
    """Zeros that match are gone through, and a signal ends that; nothing is left behind."""
    one = victim("reserve")
    process = pidmem.start("find", one.pid, "-x", "00", "-a", "1G", "--progress=always", "-l", "0", "--save",
                           tmp_path / "found")
    assert process.stderr.read(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 2 and not out and b"interrupted by SIGINT" in err, err
    assert list(tmp_path.iterdir()) == []
