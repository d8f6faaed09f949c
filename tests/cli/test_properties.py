# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random layouts: whatever a process does with a window of 64 pages, dump and read agree with a model of it."""

import os
import tempfile
from pathlib import Path

import oracle
from conftest import BLIND, PAGE, pattern
from dump_reader import Dump
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WINDOW = 64
ZERO = bytes(PAGE)
GUARD, NOTHING = "guard", "unmapped"
KINDS = ["anon", "file", "sharedfile"] + ([] if BLIND else ["shared"])

pages = st.tuples(st.integers(0, WINDOW - 1), st.integers(1, 24))
steps = st.lists(st.one_of(
    st.tuples(st.just("map"), pages, st.sampled_from(KINDS)),
    st.tuples(st.just("fill"), pages, st.integers(1, 9000)),
    st.tuples(st.just("zero"), pages, st.just("")),
    st.tuples(st.just("guard"), pages, st.just("")),
    st.tuples(st.just("drop"), pages, st.just("")),
    st.tuples(st.just("protect"), pages, st.sampled_from([0, 1, 2, 3, 5])),
    st.tuples(st.just("unmap"), pages, st.just("")),
), min_size=1, max_size=14)


class Model:
    """What the window holds, page by page. An object of shared memory outlives the pages of one mapping of it."""

    def __init__(self):
        self.file = [pattern(1, 99, first=i) for i in range(WINDOW)]
        self.pages = [None] * WINDOW  # None: unmapped; else a dictionary
        for i in range(WINDOW):
            self.map(i, 1, "anon", protection=0)

    def map(self, first, count, what, protection=3):
        shared = {i: ZERO for i in range(first, first + count)} if what == "shared" else None
        for i in range(first, first + count):
            self.pages[i] = {"what": what, "prot": protection, "own": None, "guard": False, "object": shared}

    def mapped(self, first, count):
        return all(self.pages[i] is not None for i in range(first, first + count))

    def writable(self, first, count):
        return self.mapped(first, count) and all(self.pages[i]["prot"] & 2 and not self.pages[i]["guard"]
                                                 for i in range(first, first + count))

    def store(self, i, data):
        page = self.pages[i]
        if page["what"] == "shared":
            page["object"][i] = data
        elif page["what"] == "sharedfile":
            self.file[i] = data
        else:
            page["own"] = data

    def content(self, i):
        """Bytes, GUARD or NOTHING."""
        page = self.pages[i]
        if page is None:
            return NOTHING
        if page["guard"]:
            return GUARD
        if page["what"] == "shared":
            return page["object"][i]
        if page["own"] is not None:
            return page["own"]
        return self.file[i] if page["what"] in ("file", "sharedfile") else ZERO


def play(model, one, step):
    """Do one step in the victim and, if it says that it was done, in the model."""
    verb, (first, count), last = step
    count = min(count, WINDOW - first)
    if verb in ("fill", "zero") and not model.writable(first, count):
        return  # it would be killed
    if verb in ("guard", "drop", "protect") and not model.mapped(first, count):
        return  # would be done by half
    if one.ask(f"{verb} {first} {count} {last}") != "ok":
        assert verb == "guard", step  # guard pages need Linux 6.13, in files 6.15
        return
    reach = range(first, first + count)
    if verb == "map":
        model.map(first, count, last)
    elif verb == "unmap":
        for i in reach:
            model.pages[i] = None
    elif verb == "protect":
        for i in reach:
            model.pages[i]["prot"] = last
    elif verb == "guard":
        for i in reach:
            model.pages[i].update(guard=True, own=None)
    elif verb == "drop":
        for i in reach:
            model.pages[i].update(own=None)  # guards stay: madvise(2)
    else:
        for i in reach:
            model.store(i, ZERO if verb == "zero" else pattern(1, last, first=i - first))


def check_dump(pidmem, one, model, folder):
    result = pidmem("dump", "-j", "-o", folder / "d", "-R", f"{one.window:x}-{one.window + WINDOW * PAGE:x}", one.pid)
    if all(page is None for page in model.pages):
        assert result.code in (0, 2), result
        return
    assert result.code == 0, result
    with Dump(folder / "d") as dump:
        assert dump.check(result.json["account"]) == []
        for i in range(WINDOW):
            address, expected = one.window + i * PAGE, model.content(i)
            record = dump.find(address)
            if expected == NOTHING:
                assert record is None, i
            elif expected == GUARD:
                assert (record.cls, record.why) == ("no_content", "guard"), i
            else:
                assert dump.read(address, PAGE) == expected, i
    account = result.json["account"]
    assert account["no_content"] == PAGE * sum(model.content(i) == GUARD for i in range(WINDOW))
    assert account["zero"] == PAGE * sum(model.content(i) == ZERO for i in range(WINDOW))


def check_read(pidmem, one, model, first, count):
    """read --raw gives the bytes of a range, or stops where there are none."""
    contents = [model.content(i) for i in range(first, min(first + count, WINDOW))]
    result = pidmem("read", "--raw", one.pid, f"{one.window + first * PAGE:x}", str(len(contents) * PAGE))
    if all(isinstance(content, bytes) for content in contents):
        assert (result.code, result.out) == (0, b"".join(contents))
    elif NOTHING in contents:
        assert (result.code, result.out) == (2, b"")


@settings(max_examples=int(os.environ.get("PIDMEM_EXAMPLES", "120")), deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=steps, where=pages)
def test_random_layouts(pidmem, victim, steps, where):
    with tempfile.TemporaryDirectory(prefix="pidmem-test-") as name:
        one = victim("layout", Path(name) / "file")
        model = Model()
        for step in steps:
            play(model, one, step)
        check_dump(pidmem, one, model, Path(name))
        check_read(pidmem, one, model, *where)
        assert one.end() == 0


def test_the_model_itself(victim, tmp_path):
    """The model against the kernel, through /proc/PID/mem, so that both cannot be wrong together."""
    one = victim("layout", tmp_path / "file")
    model = Model()
    for step in [("map", (0, 16), "anon"), ("fill", (0, 8), 7), ("map", (16, 8), "shared"), ("fill", (18, 2), 8),
                 ("drop", (18, 1), ""), ("map", (24, 16), "file"), ("fill", (26, 3), 9), ("drop", (27, 1), ""),
                 ("map", (40, 8), "sharedfile"), ("fill", (41, 2), 10), ("guard", (2, 3), ""), ("unmap", (60, 2), ""),
                 ("protect", (5, 2), 0), ("zero", (7, 1), ""), ("guard", (26, 1), "")]:
        play(model, one, step)
    with oracle.Memory(one.pid) as memory:
        for i in range(WINDOW):
            expected = model.content(i)
            assert memory.page(one.window + i * PAGE) == (expected if isinstance(expected, bytes) else None), i
