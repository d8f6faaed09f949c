# SPDX-License-Identifier: LGPL-2.1-or-later
"""find on real processes and on files of them: the eight secrets by every kind of pattern, what must not be touched, and
what is said."""

import re
import shutil
import struct
import subprocess

import pytest
from conftest import PAGE
from finding import BASE, find, naive_regex, naive_text, write_dump
from freezing import changed, portrait_at_rest
from test_core_oracle import folder, surroundings  # noqa: F401  pylint: disable=unused-import
from test_sources import SECRETS, secrets  # noqa: F401  pylint: disable=unused-import

SHARED = "5ec0de"  # what is the same in all
RULES = r"""
rule planted { strings: $text = "planted-5ec0de0" $end = "-secret" condition: #text == 8 and $end }
rule others { strings: $a = "nothing-of-" $b = "planted-5ec0de0" condition: $b and $a }
"""


def patterns():
    """Each kind that fits: arguments."""
    start = b"planted-5ec0de0"
    number = struct.unpack("<Q", start[:8])[0]
    return {
        "text": [start.decode()],
        "case": ["-i", start.decode().upper()],
        "hex": ["-x", start.hex(" ")],
        "wildcards": ["-x", "70 ?? 61 6e 7? 65 64 2d 35 65 63 30 64 65 30"],
        "regex": ["-e", r"planted-5ec0de0[1-8]-secret\b"],
        "look-behind": ["-e", r"(?<=planted-)5ec0de0[1-8]"],
        "value": ["-t", "u64", hex(number)],
        "range": ["-t", "u64", f"{number}..{number}"],
        "float": ["-t", "f64", "%r" % struct.unpack("<d", struct.pack("<Q", number))],
        "lines": ["-f", "patterns"],
        "rules": ["-y", "rules"],
        "strings": ["--strings=16"],
    }


@pytest.fixture
def sources(pidmem, secrets, folder):  # noqa: F811
    """Arguments that name the process, and all files of it."""
    assert pidmem("core", "-a", "-o", folder / "core", secrets.pid).code == 0
    assert pidmem("dump", "-o", folder / "raw", secrets.pid).code == 0
    assert pidmem("dump", "--split", folder / "split", secrets.pid).code == 0
    if not shutil.which("zstd"):
        pytest.skip("zstd is not installed")
    subprocess.run(["zstd", "-q", "-k", folder / "core"], check=True)
    return [[secrets.pid], ["--consistency=stopped", secrets.pid], ["--consistency=snapshot", secrets.pid],
            [folder / "core"], [folder / "core.zst"], [folder / "raw"], [folder / "split"]]


@pytest.mark.parametrize("kind", patterns())
def test_eight_secrets(pidmem, secrets, sources, folder, kind):  # noqa: F811
    """8 of 8, at the same addresses, by every kind of pattern, on every source."""
    wanted = {getattr(secrets, f"secret{i}") for i in range(1, SECRETS + 1)}
    (folder / "rules").write_text(RULES)
    (folder / "patterns").write_text("nothing-of-this\nplanted-5ec0de0\n\nplanted-nowhere\n")
    shift = 8 if kind == "look-behind" else 0
    first = None
    for source in sources:
        found = find(pidmem, *source, *patterns()[kind], cwd=folder)
        assert wanted <= {address - shift for address in found.addresses}, source
        first = first or found
        assert found.matches == first.matches, source
    if kind in ("text", "case", "hex", "wildcards", "regex"):
        assert {address for address in first.addresses if address in wanted} == wanted
        assert len(first.matches) == SECRETS


def test_where_the_last_byte_is(pidmem, tmp_path):
    """The last position of a region, the first one, and what would go beyond."""
    pieces = [(BASE, b"first" + b"." * (PAGE - 8) + b"end"), (BASE + PAGE, PAGE, "no_content", "guard"),
              (BASE + 2 * PAGE, b"less" + b"." * (PAGE - 4))]
    write_dump(tmp_path / "dump", pieces)
    for text in (b"first", b"end", b"endless", b".end", b"less."):
        assert find(pidmem, tmp_path / "dump", text).places == naive_text(pieces, text)
    for expression in (rb"\Afirst", rb"\Aless", rb"end\z", rb"^first|^less", rb"d$", rb"[.]\z"):
        found = find(pidmem, tmp_path / "dump", "-e", expression)
        assert found.places == naive_regex(pieces, re.compile(expression.replace(rb"\z", rb"\Z"), re.M)), expression


def test_zeros_are_content(pidmem, tmp_path):
    """Those of memory that was never touched as well, at every place that is asked for."""
    write_dump(tmp_path / "dump", [(BASE, b"x" * PAGE), (BASE + PAGE, 600 * PAGE), (BASE + 601 * PAGE, b"x" * PAGE)])
    for args in (["-t", "u32", "0"], ["-t", "i8", "-1..0"], ["-x", "00"], ["-e", r"\x00"]):
        found = find(pidmem, "-a", "64K", *args[:2], tmp_path / "dump", "--", *args[2:])
        assert found.addresses == list(range(BASE + 0x10000, BASE + 601 * PAGE, 0x10000)), args
    last = find(pidmem, tmp_path / "dump", "-x", "00 00 78")
    assert last.addresses == [BASE + 601 * PAGE - 2]


def test_context(pidmem, tmp_path):
    """Bytes around a match, as far as they are contiguous; without -C there are none."""
    write_dump(tmp_path / "dump", [(BASE, b"ab" + b"-" * (PAGE - 4) + b"cd"), (BASE + PAGE, b"ef" + b"-" * (PAGE - 2))])
    near, = find(pidmem, tmp_path / "dump", "-C", "3", "cdef").matches
    assert (bytes.fromhex(near["before"]), bytes.fromhex(near["behind"])) == (b"---", b"---")
    edge, = find(pidmem, tmp_path / "dump", "-C", "3", "ab").matches
    assert (edge["before"], bytes.fromhex(edge["behind"])) == ("", b"---")
    assert "before" not in find(pidmem, tmp_path / "dump", "ab").matches[0]
    pidmem.fails("find", "-C", "5000", tmp_path / "dump", "ab")


def test_lines_for_people(pidmem, secrets):  # noqa: F811
    result = pidmem("find", secrets.pid, "-C", "4", f"planted-{SHARED}08")
    line, summary = result.text.splitlines()
    assert re.fullmatch(rf"0x{secrets.secret8:x}  \[heap\]\+0x[0-9a-f]+  rw-p  ….{{4}}planted-5ec0de08-sec…", line), line
    assert re.fullmatch(r"1 match in .* read, .* zero, .* of the kernel, .*, nothing unreadable", summary), summary
    result = pidmem("find", secrets.pid, "nowhere-" + "to-be-found")
    assert result.code == 1 and result.text.startswith("0 matches in ") and not result.err


def test_limit_and_account(pidmem, secrets):  # noqa: F811
    """The account adds up whatever was not looked at."""
    every = find(pidmem, secrets.pid, "-R", "anon", "planted-5ec0de0")
    assert len(every.matches) == 5  # 1, 2, 3, 5 and 7
    some = find(pidmem, secrets.pid, "-R", "anon", "-l", "2", "planted-5ec0de0")
    assert some.matches == every.matches[:2]
    assert some.end["account"]["total"] == every.end["account"]["total"]
    assert some.end["account"]["excluded"] > every.end["account"]["excluded"]
    assert "not looked at" in pidmem("find", secrets.pid, "-l", "2", "planted-5ec0de0").text


def test_pointers(pidmem, secrets):  # noqa: F811
    """Pointers into a region, by its name; into a range; one address."""
    regions = pidmem("maps", "-j", secrets.pid).json["regions"]
    heap, = [(int(one["start"], 16), int(one["end"], 16)) for one in regions if one["path"] == "[heap]"]
    into = find(pidmem, secrets.pid, "-t", "ptr", "[heap]", "-a", "8")
    values = [int.from_bytes(bytes.fromhex(match["bytes"]), "little") for match in into.matches]
    assert values and all(heap[0] <= value < heap[1] for value in values)
    by_range = find(pidmem, secrets.pid, "-t", "ptr", "-a", "8", f"{heap[0]:x}..{heap[1] - 1:x}")
    assert by_range.places == into.places
    one = find(pidmem, secrets.pid, "-t", "ptr", "-a", "8", hex(values[0]))
    assert set(one.places) <= set(into.places) and into.places[0] in one.places
    offset = find(pidmem, secrets.pid, "-t", "ptr", "-a", "8", f"[heap]+{values[0] - heap[0]:x}")
    assert offset.places == one.places
    assert find(pidmem, secrets.pid, "-t", "ptr", "heap", "-a", "8").places == into.places


def test_wide_text_and_strings(pidmem, tmp_path):
    text = "Straße, Ünïcode"
    piece = b"\xfe" * 101 + text.encode("utf-16-le") + b"\xfe" * 3 + text.encode() + b"\0" + b"\xff" * 40
    write_dump(tmp_path / "dump", [(BASE, piece.ljust(PAGE, b"\xff"))])
    wide = [(BASE + 101, 2 * len(text))]
    assert find(pidmem, tmp_path / "dump", "--wide", text).places == wide
    assert find(pidmem, tmp_path / "dump", "--wide", "-i", text.replace("c", "C")).places == wide
    assert find(pidmem, tmp_path / "dump", "--wide", text.replace("c", "C")).places == []
    assert find(pidmem, tmp_path / "dump", "--wide", "--strings=9").places == wide
    assert find(pidmem, tmp_path / "dump", "--strings=9").places == [(BASE + 106 + 2 * len(text) - 2, len(text.encode()))]
    assert find(pidmem, tmp_path / "dump", "--strings=16").places == []


def test_strings_are_shown_as_they_are(pidmem, tmp_path):
    """To people: nothing around them, unless it is asked for."""
    write_dump(tmp_path / "dump", [(BASE, b"one\0string\x01of".ljust(PAGE, b"\xff"))])
    assert pidmem("find", tmp_path / "dump", "--strings=5").text.splitlines()[0].endswith("  rw-p  string")
    assert pidmem("find", tmp_path / "dump", "--strings=5", "-C3").text.splitlines()[0].endswith("  rw-p  …ne.string.of…")
    assert pidmem("find", tmp_path / "dump", "one").text.splitlines()[0].endswith("  rw-p  one.string.of......…")


def test_floats(pidmem, tmp_path):
    values = [1.5, 1.51, -0.0, 0.1, 3e9]
    write_dump(tmp_path / "dump", [(BASE, struct.pack("<5f4x5d", *values, *values).ljust(PAGE, b"\xee"))])
    for kind, start, size in (("f32", BASE, 4), ("f64", BASE + 24, 8)):
        def found(text, kind=kind, start=start, size=size):
            return [(place - start) // size for place in
                    find(pidmem, tmp_path / "dump", "-a", str(size), "-t", kind, "--", text).addresses
                    if start <= place < start + 5 * size]
        assert found("1.5") == [0] and found("1.5~0.02") == [0, 1] and found("0.1") == [3]
        assert found("0") == [2] and found("-1..1.5") == [0, 2, 3] and found("3e9") == [4]


WRONG = [["-x", "4"], ["-x", "zz"], ["-x", "??"], ["-e", "("], ["-e", ""], [""], ["-t", "u8", "256"], ["-t", "u8", "-1"],
         ["-t", "i8", "x"], ["-t", "u9", "1"], ["-t", "u8", "5..3"], ["-t", "f32", "1~-1"], ["-t", "f64", "nan"], [],
         ["-t", "ptr", "no-such-region"], ["-a", "x", "y"], ["-l", "0", "y"], ["--strings=0"], ["--strings", "y"],
         ["-e", "a", "-x", "00", "b"], ["--wide", "-e", "a"], ["--wide", b"\xff"], ["-f", "/nonexistent"],
         ["-f", "/dev/null"], ["--in", "/nonexistent"], ["--in", "/etc/passwd"], ["-y", "/nonexistent"], ["-t", "u8"],
         ["-t", "f32", "1e40"], ["-t", "f64", "-1e999..5"], ["-e", "a", "-t", "u8"]]


@pytest.mark.parametrize("wrong", WRONG, ids=map(str, WRONG))
def test_mistakes(pidmem, plain, wrong):
    args = wrong if wrong[:1] != ["-t"] else [*wrong[:2], "--", *wrong[2:]]
    result = pidmem("find", *args[:2] if args[:1] == ["-t"] else [], plain.pid, *(args[2:] if args[:1] == ["-t"] else args))
    assert result.code == 2 and not result.out and result.err.startswith("pidmem: "), result


def test_mistakes_are_told_before_the_target_is_touched(pidmem, tmp_path):
    """Compiling takes time: nothing stands still for it."""
    (tmp_path / "rules").write_text("rule")
    for wrong in (["-e", "("], ["-x", "4"], ["-t", "u8", "256"], ["-y", tmp_path / "rules"]):
        absent = pidmem("find", "999999999", *wrong)
        assert absent.code == 2 and "no process" not in absent.err, absent


def test_several_patterns_of_one_kind(pidmem, tmp_path):
    """Patterns that stand alone are of the kind that an option names."""
    write_dump(tmp_path / "dump", [(BASE, b"one two three".ljust(PAGE, b"\xff"))])
    for args in (["-e", "o[n]e", "t[w]o"], ["-x", "6f6e65", "74776f"], ["one", "two"], ["-e", "one", "-x", "74776f"]):
        assert find(pidmem, tmp_path / "dump", *args).places == [(BASE, 3), (BASE + 4, 3)], args
    assert find(pidmem, "-t", "u16", tmp_path / "dump", "0x6e6f", "0x6f77").addresses == [BASE, BASE + 5]


@pytest.mark.parametrize("expression", [r"(x+x+)+y", r"(a|aa)+$", r"(?:x*)*\d\d\d"])
def test_no_expression_hangs(pidmem, tmp_path, expression):
    write_dump(tmp_path / "dump", [(BASE, b"x" * PAGE * 64 + b"a" * PAGE * 64 + b"b" * PAGE)])
    result = pidmem("find", "-e", expression, tmp_path / "dump", timeout=30)
    assert result.code in (0, 1) or (result.code == 2 and "too many steps" in result.err), result


def test_no_expression_takes_days(pidmem, tmp_path):
    """Below the limit of steps everywhere, and yet a minute for each MiB: that ends with an error."""
    write_dump(tmp_path / "dump", [(BASE, (b"a" * 28 + b"b") * (PAGE * 16 // 29))])
    result = pidmem("find", "-e", "(a|aa)+$", tmp_path / "dump", timeout=90)
    assert result.code == 2 and "takes more than" in result.err and "\nhint: " in result.err, result


def test_nothing_is_touched(pidmem, victim):
    """Not a page comes into memory for it, and terabytes that were never touched cost nothing."""
    one = victim("reserve")
    before = portrait_at_rest(one.pid)
    assert find(pidmem, one.pid, "no such text", timeout=20).code == 1
    assert changed(one.pid, before) == {}


def test_swapped_pages(swap, pidmem, victim):  # noqa: F811
    """Left out, and told; a snapshot or --swapped has them."""
    one = victim("swapped")
    text = f"{21:04x}:{33:010x}"
    left_out = find(pidmem, one.pid, text)
    if left_out.matches:
        pytest.skip("nothing was swapped out")
    assert "in swap" in pidmem("find", one.pid, text).text
    wanted = one.private + 33 * PAGE
    assert wanted in find(pidmem, "--consistency=snapshot", one.pid, text).addresses
    assert not find(pidmem, one.pid, text).matches
    assert wanted in find(pidmem, "--swapped", one.pid, text).addresses
