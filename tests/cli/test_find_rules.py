# SPDX-License-Identifier: LGPL-2.1-or-later
"""find -y: whole rules of YARA over our own blocks."""

import hashlib
import re
import struct

import pytest
from conftest import PAGE
from finding import BASE, find, write_dump
from freezing import changed, portrait_at_rest

MIB = 2**20
BLOCK, OVERLAP = 16 * MIB, 65536  # lib/find/rules_blocks.c


@pytest.fixture(autouse=True)
def built_with_yara(pidmem):
    if "without YARA" in pidmem("find", "self", "-y", "/dev/null").err:
        pytest.skip("pidmem was built without libyara")


@pytest.fixture
def rules(tmp_path):
    def write(text, name="rules"):
        (tmp_path / name).write_text(text)
        return tmp_path / name
    return write


def rule(strings, condition="any of them"):
    return f"rule one {{ strings: {strings} condition: {condition} }}"


def noise(size):
    return (b"\x8f\xa3\x91\xb7" * (size // 4 + 1))[:size]


def fill(size, *planted):
    content = bytearray(noise(size))
    for at, text in planted:
        content[at:at + len(text)] = text
    return bytes(content)


def test_all_parts_of_a_rule(pidmem, tmp_path, rules):
    """Conditions over all memory, not block by block; private ones; what the pattern is called."""
    write_dump(tmp_path / "dump", [(BASE, fill(PAGE, (5, b"alpha"), (80, b"BETA"))),
                                   (BASE + 4 * PAGE, fill(PAGE, (4000, b"alpha")))])
    path = rules("""
private rule hidden { strings: $a = "alpha" condition: #a == 2 }
rule both { strings: $a = "alpha" $b = "beta" nocase $p = "alpha" private condition: hidden and $a and $b and $p }
rule placed { strings: $b = "BETA" condition: $b at %d and uint32(%d) == 0x41544542 and filesize < 1 }
rule counted { strings: $ = "alpha" condition: #a > 2 }
rule empty { strings: $a = "gamma" condition: not $a }
""".replace("rule counted { strings: $ =", "rule counted { strings: $a =") % (BASE + 80, BASE + 80))
    found = find(pidmem, tmp_path / "dump", "-y", path)
    told = [(match["address"], match["pattern"]) for match in found.matches]
    assert told == [(hex(BASE + 5), "both:$a"), (hex(BASE + 80), "both:$b"), (hex(BASE + 4 * PAGE + 4000), "both:$a"),
                    (None, "empty")]
    assert found.matches[-1]["region"] is None and found.matches[-1]["length"] == 0
    path = rules(path.read_text().replace(" and filesize < 1", ""))
    lines = pidmem("find", tmp_path / "dump", "-y", path).text.splitlines()
    assert [line.split("  ")[3] for line in lines[:4]] == ["both:$a", "both:$b", "placed:$b", "both:$a"]
    assert lines[4].startswith("empty  ") and lines[5].startswith("5 matches in "), lines


def test_borders_of_regions(pidmem, tmp_path, rules):
    """Adjacent regions are one stretch; a hole joins nothing."""
    pieces = [(BASE, fill(PAGE, (PAGE - 4, b"over"))), (BASE + PAGE, fill(PAGE, (0, b"lap"), (PAGE - 4, b"over"))),
              (BASE + 3 * PAGE, fill(PAGE, (0, b"lap")))]
    write_dump(tmp_path / "dump", pieces)
    assert find(pidmem, tmp_path / "dump", "-y", rules(rule('$a = "overlap"'))).places == [(BASE + PAGE - 4, 7)]
    assert find(pidmem, tmp_path / "dump", "-y", rules(rule('$a = { 6f 76 65 72 [300-9000] 6c 61 70 }'))).matches == []


def test_borders_of_blocks(pidmem, tmp_path, rules):
    """Told once, whole, and never put together from parts of different blocks."""
    second = BLOCK - OVERLAP
    content = fill(40 * MIB, (0x1000, b"HEAD"), (second + 0x1100, b"TAIL"), (second + 5, b"twice"), (BLOCK - 3, b"across"),
                   (BLOCK - 9000, b"WIDE"), (BLOCK + 9000, b"GAP"), (2 * BLOCK - OVERLAP - 20, b"greedy" + b"z" * 40),
                   (40 * MIB - 4, b"last"))
    write_dump(tmp_path / "dump", [(BASE, content)])
    path = rules(rule('$a = { 48 45 41 44 [0-1000] 54 41 49 4c } $b = "across" $c = "twice" $d = "last" '
                      '$e = { 57 49 44 45 [0-20000] 47 41 50 } $f = /greedyz+/'))
    found = find(pidmem, tmp_path / "dump", "-y", path)
    assert [(address - BASE, length) for address, length in found.places] == [
        (second + 5, 5), (BLOCK - 9000, 18003), (BLOCK - 3, 6), (2 * BLOCK - OVERLAP - 20, 46), (40 * MIB - 4, 4)]
    assert all(bytes.fromhex(match["bytes"]) == content[address - BASE:][:match["length"]]
               for match, address in zip(found.matches, found.addresses))


def test_terabytes_of_zeros(pidmem, tmp_path, rules):
    end = BASE + 2**42
    write_dump(tmp_path / "dump", [(BASE, b"x" * PAGE), (BASE + PAGE, 2**42 - PAGE), (end, b"\x01tail" + bytes(PAGE - 5))])
    found = find(pidmem, tmp_path / "dump", "-y", rules(rule("$a = { 78 00 00 } $b = { 00 00 01 74 }")), timeout=20)
    assert found.places == [(BASE + PAGE - 1, 3), (end - 2, 4)]


def test_what_is_shown(pidmem, tmp_path, rules):
    """Alignment, limit, context; saved matches can be narrowed by other patterns."""
    write_dump(tmp_path / "dump", [(BASE, fill(PAGE, *((at, b"word") for at in (0, 9, 16, 77, 96))))])
    path = rules(rule('$a = "word"'))
    assert find(pidmem, tmp_path / "dump", "-y", path, "-a", "16").addresses == [BASE, BASE + 16, BASE + 96]
    assert find(pidmem, tmp_path / "dump", "-y", path, "-l", "2").addresses == [BASE, BASE + 9]
    first, second, *_ = find(pidmem, tmp_path / "dump", "-y", path, "-C", "4").matches
    assert (first["before"], first["behind"]) == ("", noise(8)[4:].hex())
    assert bytes.fromhex(second["before"]) == fill(PAGE, (0, b"word"))[5:9]
    find(pidmem, tmp_path / "dump", "-y", path, "--save", tmp_path / "saved")
    write_dump(tmp_path / "later", [(BASE, fill(PAGE, (9, b"word"), (77, b"worn")))])
    assert find(pidmem, tmp_path / "later", "--in", tmp_path / "saved", "unchanged").addresses == [BASE + 9]


def test_included_files(pidmem, tmp_path, rules):
    """Sought beside the file that includes them; each file is a namespace of its own."""
    write_dump(tmp_path / "dump", [(BASE, fill(PAGE, (7, b"included")))])
    (tmp_path / "below").mkdir()
    rules(rule('$a = "included"'), "below/inner")
    path = rules('include "below/inner"\nrule outer { condition: one }', "main")
    assert [match["pattern"] for match in find(pidmem, tmp_path / "dump", "-y", path, cwd="/").matches] == ["one:$a", "outer"]
    again = find(pidmem, tmp_path / "dump", "-y", tmp_path / "below/inner", "-y", path, cwd="/")
    assert [match["pattern"] for match in again.matches] == ["one:$a", "one:$a", "outer"]


MISTAKES = {
    "syntax": ('rule a { strings: $a = "x"\n condition: }', r"pidmem: \S*/rules:2: "),
    "undefined": ("rule a {\n\n condition: $nothing }", r"pidmem: \S*/rules:3: "),
    "include": ('\ninclude "absent"\n', r"pidmem: \S*/rules:2: "),
    "nothing": ("// no rule\n", "pidmem: there are no rules"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistakes_in_rules(pidmem, plain, rules, kind):
    text, error = MISTAKES[kind]
    result = pidmem("find", plain.pid, "-y", rules(text))
    assert result.code == 2 and not result.out and re.match(error, result.err) and "\nhint: " in result.err, result


OTHERS = [["-y", "."], ["-i"], ["--wide"], ["text"], ["-e", "x"], ["-t", "u8", "1"], ["--strings"], ["-f", "rules"],
          ["--in", "rules"]]


@pytest.mark.parametrize("other", OTHERS, ids=map(str, OTHERS))
def test_rules_stand_alone(pidmem, plain, tmp_path, rules, other):
    rules(rule('$a = "x"'))
    result = pidmem("find", plain.pid, "-y", "rules", *other, cwd=tmp_path)
    assert result.code == 2 and not result.out and result.err.startswith("pidmem: "), result


def test_too_many_matches(pidmem, tmp_path, rules):
    """It is not known then what rules say: an error that names the string, and no saved file."""
    write_dump(tmp_path / "dump", [(BASE, b"aaaa" * 300000)])
    result = pidmem("find", tmp_path / "dump", "-y", rules(rule('$many = "aa"')), "--save", tmp_path / "saved")
    assert result.code == 2 and not result.out and "$many of the rule one" in result.err, result
    assert not (tmp_path / "saved").exists()


def test_modules(pidmem, tmp_path, rules):
    """They ask for blocks again: an executable in memory is found, wherever it is."""
    header = struct.pack("<4sBBB9xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 2, 62, 1, 0x401000, 0, 0, 0, 64, 56, 0, 64, 0, 0)
    write_dump(tmp_path / "dump", [(BASE, noise(40 * MIB)), (BASE + 64 * MIB, header + noise(PAGE - len(header))),
                                   (BASE + 65 * MIB, noise(PAGE))])
    path = rules('import "elf"\nrule a { condition: elf.type == elf.ET_EXEC and elf.machine == elf.EM_X86_64 }\n'
                 f'import "hash"\nrule b {{ condition: hash.md5({BASE + 5}, 3) == "{hashlib.md5(noise(8)[5:8]).hexdigest()}" }}')
    assert [match["pattern"] for match in find(pidmem, tmp_path / "dump", "-y", path).matches] == ["a", "b"]


def test_nothing_is_touched(pidmem, victim, rules):
    """Not a page comes into memory, in spite of terabytes that were never touched, and what modules read again."""
    one = victim("reserve")
    before = portrait_at_rest(one.pid)
    path = rules('import "elf"\nrule a { strings: $a = "no such text" condition: $a or elf.type == 77 }')
    assert find(pidmem, one.pid, "-y", path, timeout=60).code == 1
    assert changed(one.pid, before) == {}
