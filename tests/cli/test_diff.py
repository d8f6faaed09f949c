# SPDX-License-Identifier: LGPL-2.1-or-later
"""diff: two processes, or files of them; grouped changes, regions that came and went, and what cannot be compared."""

import json
import os
import random
import re

from conftest import PAGE, check_account
from finding import BASE, write_dump
from freezing import children, tracked
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_core_oracle import folder, surroundings  # noqa: F401  pylint: disable=unused-import
from test_sources import secrets  # noqa: F401  pylint: disable=unused-import


class Differences:
    """The lines of `diff -j`."""

    def __init__(self, result):
        lines = [json.loads(line) for line in result.out.splitlines()]
        self.code, self.all, self.end = result.code, lines[:-1], lines[-1]
        assert all(line["pidmem"] == 1 and line["command"] == "diff" for line in lines)
        assert self.end["differences"] == len(self.all)
        accounts = [check_account(target["account"]) for target in self.end["targets"]]
        unreadable = any(account["unreadable"] for account in accounts)
        assert self.code == (3 if unreadable else 1 if self.all else 0), result

    def of(self, kind):
        return [(int(one["address"], 16), one["size"]) for one in self.all if one["kind"] == kind]


def diff(pidmem, *args, code=(0, 1)):
    result = pidmem("diff", "-j", *args)
    assert result.code in code, result
    return Differences(result)


def two(tmp_path, one, other):
    write_dump(tmp_path / "one", one)
    write_dump(tmp_path / "two", other)
    return tmp_path / "one", tmp_path / "two"


def test_same_in_all_sources(pidmem, secrets, folder):  # noqa: F811
    """A process that stands still, and all files of it."""
    assert pidmem("core", "-a", "-o", folder / "core", secrets.pid).code == 0
    assert pidmem("dump", "-o", folder / "raw", secrets.pid).code == 0
    for other in (secrets.pid, folder / "core", folder / "raw"):
        for target in (secrets.pid, folder / "core", folder / "raw"):
            same = diff(pidmem, target, other)
            assert same.code == 0 and same.end["not_compared"] == 0 and same.end["compared"] > 0, (target, other)
    result = pidmem("diff", secrets.pid, folder / "core")
    assert result.code == 0 and re.fullmatch(r"0 differences: 0 B of .* that both have\n", result.text), result
    assert diff(pidmem, "--consistency=snapshot", secrets.pid, folder / "core").end["targets"][0]["engine"]


def test_two_moments(pidmem, victim, tmp_path):
    """What a process has written meanwhile."""
    one = victim("busy")
    for name in ("first", "second"):
        assert pidmem("core", "-a", "-o", tmp_path / name, one.pid).code == 0
    found = diff(pidmem, tmp_path / "first", tmp_path / "second", code=(1,))
    assert found.end["changed"] > 0
    live = diff(pidmem, tmp_path / "first", one.pid, code=(1,))
    assert live.end["targets"][1]["consistency"] == "live"
    summary = pidmem("diff", "--summary", tmp_path / "first", tmp_path / "second")
    assert summary.code == 1 and re.search(r"^content .* in \d+ ranges?  ", summary.text, re.M), summary


def test_groups(pidmem, tmp_path):
    """Changes that lie close together are one, but not over the border of a page, unless they touch."""
    one = bytearray(b"-" * 3 * PAGE)
    other = bytearray(one)
    for at in (0, 100, 116, 217, 250, PAGE - 8, PAGE + 3, 2 * PAGE - 1, 2 * PAGE, 3 * PAGE - 1):
        other[at] = ord("x")
    paths = two(tmp_path, [(BASE, bytes(one))], [(BASE, bytes(other))])
    found = diff(pidmem, *paths, code=(1,))
    assert found.of("content") == [(BASE + at, size) for at, size in
                                   [(0, 1), (100, 17), (217, 1), (250, 1), (PAGE - 8, 1), (PAGE + 3, 1), (2 * PAGE - 1, 2),
                                    (3 * PAGE - 1, 1)]]
    assert found.end["changed"] == 10
    assert bytes.fromhex(found.all[1]["before"]) == b"-" * 17
    assert bytes.fromhex(found.all[1]["after"]) == b"x" + b"-" * 15 + b"x"


def test_regions(pidmem, tmp_path):
    """What came, went, grew; and what cannot be compared is not called a difference."""
    paths = two(tmp_path, [(BASE, b"a" * PAGE), (BASE + 4 * PAGE, 2 * PAGE), (BASE + 9 * PAGE, PAGE, "excluded", "filter")],
                [(BASE, b"a" * 2 * PAGE), (BASE + 5 * PAGE, PAGE), (BASE + 9 * PAGE, b"b" * PAGE)])
    found = diff(pidmem, *paths, code=(1,))
    assert found.of("came") == [(BASE + PAGE, PAGE)]
    assert found.of("went") == [(BASE + 4 * PAGE, PAGE)]
    assert found.of("content") == [] and found.end["not_compared"] == PAGE and found.end["compared"] == 2 * PAGE
    write_dump(tmp_path / "two", [(BASE, PAGE, "unreadable", "io")])
    assert diff(pidmem, *paths, code=(3,)).of("content") == []


def test_other_rights(pidmem, tmp_path):
    paths = two(tmp_path, [(BASE, b"a" * PAGE)], [(BASE, b"a" * PAGE)])
    index = tmp_path / "two.index"
    index.write_text(index.read_text().replace("rw-p", "r-xp"))
    changed, = diff(pidmem, *paths, code=(1,)).all
    assert (changed["kind"], changed["perms_before"], changed["perms"]) == ("rights", "rw-p", "r-xp")
    assert "rw-p -> r-xp" in pidmem("diff", *paths).text
    index.write_text(index.read_text().replace('"path": ""', '"path": "/lib/other"').replace("r-xp", "rw-p"))
    changed, = diff(pidmem, *paths, code=(1,)).all
    assert (changed["kind"], changed["region_before"], changed["region"]) == ("replaced", "", "/lib/other")


def test_moved(pidmem, victim, tmp_path):
    """A program that was started again: each of its regions is the same one, elsewhere."""
    one, other = [victim("plain") for _ in range(2)]
    regions = [pidmem("maps", "-j", pid).json["regions"] for pid in (one.pid, other.pid)]
    found = diff(pidmem, one.pid, other.pid, code=(1, 3))
    at = {region["start"]: region for region in regions[1]}
    before = {region["start"]: region for region in regions[0]}
    moved = [line for line in found.all if line["kind"] == "moved"]
    assert len(moved) > len(regions[1]) // 2
    for line in moved:
        new, old = at[line["address"]], before[line["from"]]
        assert line["address"] not in before and line["from"] not in at
        assert line["size"] == new["size"] == old["size"] and line["region"] == new["path"] == old["path"]
        assert line["perms"] == new["perms"] == old["perms"]
    text = [line for line in moved if line["perms"] == "r-xp" and line["region"].endswith("libc.so.6")]
    assert len(text) == 1 and text[0]["changed"] == 0, moved
    told = {line["address"] for line in moved} | {line["from"] for line in moved}
    assert not told & {line["address"] for line in found.all if line["kind"] in ("came", "went")}
    for pid, name in ((one.pid, "a"), (other.pid, "b")):
        assert pidmem("core", "-o", tmp_path / name, pid).code == 0
    again = [line for line in diff(pidmem, tmp_path / "a", tmp_path / "b").all if line["kind"] == "moved"]
    assert [(line["address"], line["from"]) for line in again] == [(line["address"], line["from"]) for line in moved]
    # Of what was not saved nothing is claimed.
    assert {line["changed"] for line in again if line["perms"] == "r-xp" and line["region"].endswith("libc.so.6")} == {None}
    assert re.search(r"^moved     .*  from [0-9a-f]+, \d", pidmem("diff", one.pid, other.pid).text, re.M)


def test_moved_or_another(pidmem, tmp_path):
    """Anonymous memory of the same size is the same one only if most of its bytes are."""
    data = [random.Random(i).randbytes(2 * PAGE) for i in range(3)]
    mostly = data[1][:PAGE + 500] + b"?" * (PAGE - 500)
    paths = two(tmp_path, [(BASE + 16 * i * PAGE, one) for i, one in enumerate(data)],
                [(BASE + (8 + 16 * i) * PAGE, one) for i, one in enumerate([mostly, data[0], b"!" * 2 * PAGE])])
    found = diff(pidmem, *paths, code=(1,))
    assert {(int(line["address"], 16), int(line["from"], 16)) for line in found.all if line["kind"] == "moved"} == \
        {(BASE + 8 * PAGE, BASE + 16 * PAGE), (BASE + 24 * PAGE, BASE)}
    assert found.of("went") == [(BASE + 32 * PAGE, 2 * PAGE)] and found.of("came") == [(BASE + 40 * PAGE, 2 * PAGE)]
    changed = [line["changed"] for line in found.all if line["kind"] == "moved"]
    assert changed[1] == 0 and 0 < changed[0] <= PAGE - 500 and found.end["changed"] == changed[0]


def test_of_what_is_selected(pidmem, victim):
    """Regions that nobody asked for are no difference."""
    one, other = [victim("plain") for _ in range(2)]
    found = diff(pidmem, "-R", "stack", one.pid, other.pid)
    assert {line["region"] for line in found.all} == {"[stack]"}
    start = pidmem("maps", "-j", "-R", "stack", one.pid).json["regions"][0]["start"]
    wanted = f"{start}-{int(start, 16) + PAGE:x}"
    found = diff(pidmem, "-R", wanted, "-R", "heap", one.pid, other.pid)
    assert (int(start, 16), PAGE) in found.of("went")


def test_over_time(pidmem, victim):
    """Rounds; the process runs on, and nothing of them stays."""
    one = victim("busy")
    result = pidmem("diff", "-j", one.pid, "--every", "20ms", "--count", "3")
    rounds = [line for line in map(json.loads, result.out.splitlines()) if "differences" in line]
    assert result.code == 1 and len(rounds) == 3, result
    assert all([target["engine"] for target in one_round["targets"]] == ["clone"] * 2 for one_round in rounds)
    quiet = victim("plain")
    result = pidmem("diff", quiet.pid, "--every", "1ms", "--count", "2")
    assert result.code == 0 and len(result.text.splitlines()) == 2, result
    assert not tracked(quiet.pid) and not children(quiet.pid)


def test_mistakes(pidmem, plain, tmp_path):
    assert pidmem("diff", plain.pid).code == 2
    assert pidmem("diff", plain.pid, plain.pid, plain.pid).code == 2
    assert pidmem("diff", plain.pid, tmp_path / "nothing").code == 2
    for args in (["--every", "x"], ["--every", "1s", "--count", "0"], ["--count", "2"], ["--every", "0"],
                 ["--every", "1s", "--consistency=live"], ["--every", "1s", str(plain.pid)]):
        pidmem.fails("diff", plain.pid, *args)
    paths = two(tmp_path, [(BASE, PAGE)], [(BASE, PAGE)])
    assert "--consistency is for processes" in pidmem("diff", "--consistency=live", *paths).err


@settings(max_examples=int(os.environ.get("PIDMEM_EXAMPLES", "25")), deadline=None, derandomize=True,
          suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 30), pages=st.sampled_from([1, 5, 300, 2500]), changes=st.integers(0, 60), zeros=st.booleans())
def test_against_a_model(pidmem, tmp_path_factory, seed, pages, changes, zeros):
    """Random bytes and changes, compared byte by byte."""
    rng = random.Random(seed)
    one = bytearray(rng.randbytes(PAGE) * pages if not zeros else pages * PAGE)
    other = bytearray(one)
    for _ in range(changes):
        at, size = rng.randrange(len(other)), rng.choice([1, 3, 40, 5000])
        other[at:at + size] = rng.randbytes(len(other[at:at + size]))
    wanted, at = [], 0
    while at < len(one):
        if one[at:at + PAGE] == other[at:at + PAGE] and at % PAGE == 0:
            at += PAGE
            continue
        if one[at] != other[at]:
            last = wanted[-1] if wanted else None
            close = last and at - last[1] <= 16 and (at == last[1] or (last[1] - 1) // PAGE == at // PAGE)
            if close:
                last[1] = at + 1
            else:
                wanted.append([at, at + 1])
        at += 1
    paths = two(tmp_path_factory.mktemp("model"), [(BASE, pages * PAGE) if zeros else (BASE, bytes(one))], [(BASE, bytes(other))])
    found = diff(pidmem, *paths)
    assert found.of("content") == [(BASE + start, end - start) for start, end in wanted]
    for difference in found.all:
        start = int(difference["address"], 16) - BASE
        size = min(64, difference["size"])
        assert bytes.fromhex(difference["before"]) == one[start:start + size]
        assert bytes.fromhex(difference["after"]) == other[start:start + size]
