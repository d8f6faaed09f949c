# SPDX-License-Identifier: LGPL-2.1-or-later
"""find against a naive search over a model: random layouts of regions, holes and zeros, and random patterns."""

import os
import random
import re
import struct
import tempfile
from pathlib import Path

import pytest
from finding import BASE, PAGE, find, naive_regex, naive_text, runs, write_dump
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CHUNK = 65536  # lib/find/scanner.c
# More than two long ones, so that they are looked for in one pass.
WORDS = [b"key=", b"keykey", b"ab", b"\0\0\1", b"needle-in-memory", b"z" * 30, b"\xff\xfe", b"n", b"needle-in-a-heap",
         b"keykeykeykeykey", b"of-twelve-by"]


def content(seed, size, dense):
    """Bytes with many words in them, and zeros; or without a page of zeros, so that they are one stretch."""
    rng = random.Random(seed)
    bytes_ = bytearray(size) if dense else bytearray((b"\x8f\xa3\x91" * size)[:size])
    for _ in range(size // (40 if dense else 4000) + 1):
        word = rng.choice(WORDS)
        at = rng.randrange(size)
        bytes_[at:at + len(word)] = word
    for border in range(CHUNK, size, CHUNK):
        at = border - rng.randrange(32)  # what was held back before it comes first
        bytes_[at:at + 96] = b"needle-in-memory" * 6
    return bytes(bytes_[:size])


@st.composite
def layouts(draw):
    """Pieces with and without gaps between; some are large enough to be looked at where they are, and in two threads."""
    pieces, at = [], BASE
    for gap, kind, pages in draw(st.lists(st.tuples(st.sampled_from([0, 0, 0, 1, 5]), st.sampled_from("ccczzeu"),
                                                    st.sampled_from([1, 1, 2, 3, 40, 70, 300])), min_size=1, max_size=7)):
        at += gap * PAGE
        size = pages * PAGE
        if kind == "c":
            pieces.append((at, content(draw(st.integers(0, 1 << 30)), size, pages < 100)))
        elif kind == "z":
            pieces.append((at, size))
        else:
            pieces.append((at, size, *(("excluded", "filter") if kind == "e" else ("unreadable", "io"))))
        at += size
    # The words over all borders.
    for index, (start, bytes_, *reason) in enumerate(pieces[1:], 1):
        before = pieces[index - 1]
        if isinstance(bytes_, bytes) and isinstance(before[1], bytes) and before[0] + len(before[1]) == start:
            pieces[index - 1] = (before[0], before[1][:-5] + b"needl")
            pieces[index] = (start, b"e-in-memory" + bytes_[11:])
    return pieces


EXAMPLES = settings(max_examples=int(os.environ.get("PIDMEM_EXAMPLES", "25")), deadline=None, derandomize=True,
                    suppress_health_check=list(HealthCheck))


def check_literals(pidmem, path, pieces, words, code=(0, 1)):
    write_dump(path, pieces)
    found = find(pidmem, path, *[arg for word in words for arg in ("-x", word.hex())], code=code)
    wanted = sorted((place, words.index(word)) for word in words for place in naive_text(pieces, word))
    told = sorted((place, words.index(bytes.fromhex(match["pattern"]))) for place, match in zip(found.places, found.matches))
    assert told == wanted
    assert found.addresses == sorted(found.addresses)
    return found


def test_literals_over_the_borders_of_chunks(pidmem, tmp_path):
    pieces = [(BASE, content(5, 300 * PAGE, False))]
    for words in (WORDS, [word for word in WORDS if len(word) > 10]):
        check_literals(pidmem, tmp_path / "dump", pieces, words)


@EXAMPLES
@given(pieces=layouts(), chosen=st.one_of(st.just(WORDS), st.lists(st.sampled_from(WORDS), min_size=1, unique=True)))
def test_literals(pidmem, pieces, chosen):
    with tempfile.TemporaryDirectory(prefix="pidmem-test-") as name:
        many = check_literals(pidmem, Path(name) / "dump", pieces, chosen, code=(0, 1, 3))
        unreadable = sum(piece[1] for piece in pieces if piece[2:] and piece[2] == "unreadable")
        assert many.end["account"]["unreadable"] == unreadable


@EXAMPLES
@given(pieces=layouts(), expression=st.sampled_from(
    [rb"key+=?", rb"[a-e]+", rb"ne+dle-[a-z]{2}-\w+", rb"(?<=key)=", rb"\bab", rb"z{7}", rb"^n", rb"n$", rb"\x00{3}\x01",
     rb"[\x00]{40000}k", rb"z(?=z)", rb"(?s)e.{1,70}k"]))
def test_expressions(pidmem, pieces, expression):
    with tempfile.TemporaryDirectory(prefix="pidmem-test-") as name:
        path = Path(name) / "dump"
        write_dump(path, pieces)
        found = find(pidmem, path, "-e", expression, code=(0, 1, 3))
        assert found.places == naive_regex(pieces, re.compile(expression, re.M))


@EXAMPLES
@given(pieces=layouts(), kind=st.sampled_from(["u8", "i16", "u32", "i64", "f32", "f64"]), align=st.sampled_from([1, 2, 4, 64]),
       low=st.integers(-3, 300), width=st.integers(0, 1 << 20))
def test_values(pidmem, pieces, kind, align, low, width):
    code = {"u8": "B", "i16": "h", "u32": "I", "i64": "q", "f32": "f", "f64": "d"}[kind]
    size = struct.calcsize(code)
    low = max(low, 1)  # not zero: there is too much of it
    high = min(low + width, {"B": 255, "h": 32767}.get(code, 1 << 40))
    low = min(low, high)
    wanted = []
    for start, bytes_ in runs(pieces):
        first = -start % align
        for at in range(first, len(bytes_) - size + 1, align):
            if any(bytes_[at:at + size]) and low <= struct.unpack_from("=" + code, bytes_, at)[0] <= high:
                wanted.append((start + at, size))
    with tempfile.TemporaryDirectory(prefix="pidmem-test-") as name:
        path = Path(name) / "dump"
        write_dump(path, pieces)
        found = find(pidmem, path, "-t", kind, "-a", str(align), f"{low}..{high}", code=(0, 1, 3))
        assert found.places == wanted


@EXAMPLES
@given(pieces=layouts(), least=st.sampled_from([1, 4, 20]))
def test_strings(pidmem, pieces, least):
    with tempfile.TemporaryDirectory(prefix="pidmem-test-") as name:
        path = Path(name) / "dump"
        write_dump(path, pieces)
        found = find(pidmem, path, f"--strings={least}", code=(0, 1, 3))
        assert found.places == naive_regex(pieces, re.compile(rb"[\t -~]{%d,}" % least))


# What is a character, and what is nearly one.
CHARACTERS = ["a", "~", "\t", "é", "я", "\u00a0", "\u052f", "€", "\U0001f600"]
NO_CHARACTERS = [b"\0", b"\x05\x2f", b"\x05\x30", b"\x7f", b"\x80", b"\xc2\x9f", b"\xe0\x9f\xbf", b"\xed\xa0\x80",
                 b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5", b"\xff", b"\xe2\x82", b"\xf0\x9f\x98"]
NARROW = (rb"(?:[\t -~]|\xc2[\xa0-\xbf]|[\xc3-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|"
          rb"\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})")


def naive_wide(bytes_, least):
    """Rows of units of UTF-16, at even places and at odd ones."""
    places = []
    for phase in 0, 1:
        units = [bytes_[at] | bytes_[at + 1] << 8 for at in range(phase, len(bytes_) - 1, 2)]
        row = "".join("x" if unit == 9 or 0x20 <= unit < 0x7f or 0xa0 <= unit < 0x530 else "." for unit in units)
        places += [(BASE + phase + 2 * match.start(), 2 * len(match[0])) for match in re.finditer("x{%d,}" % least, row)]
    return sorted(places)


@EXAMPLES
@given(seed=st.integers(0, 1 << 30), least=st.sampled_from([1, 4, 15, 16, 17, 40, 100]), size=st.sampled_from([300, 70000]))
def test_strings_of_all_alphabets(pidmem, seed, least, size):
    rng, parts = random.Random(seed), []
    for _ in range(size // 30):
        text = "".join(rng.choices(CHARACTERS, k=rng.choice([1, 3, 10, 50, 130])))
        parts.append(rng.choice([text.encode(), text.encode("utf-16-le"), text.replace("\t", "b").encode(),
                                 rng.choice(NO_CHARACTERS), rng.randbytes(40), b"\xff" * rng.randrange(70)]))
    whole = b"".join(parts)[:size]
    with tempfile.TemporaryDirectory(prefix="pidmem-test-") as name:
        path = Path(name) / "dump"
        write_dump(path, [(BASE, whole)])
        narrow = [(BASE + match.start(), len(match[0])) for match in re.finditer(NARROW + b"{%d,}" % least, whole)]
        assert find(pidmem, path, f"--strings={least}").places == narrow
        assert find(pidmem, path, f"--strings={least}", "--wide").places == naive_wide(whole, least)


@pytest.mark.parametrize("expression", [rb"k[^q]*", rb"k[^q]{60000}[^q]{10000}", rb"(?s)k.*", rb"\x00+"])
def test_matches_are_bounded(pidmem, tmp_path, expression):
    """What could be longer than 64 KiB is told in pieces of that, wherever the memory was split for reading."""
    pieces = [(BASE, content(1, 300 * PAGE, False)), (BASE + 300 * PAGE, content(2, 2 * PAGE, True)),
              (BASE + 302 * PAGE, content(3, 4000 * PAGE, False))]
    write_dump(tmp_path / "dump", pieces)
    (_, bytes_), = runs(pieces)
    wanted, at, compiled = [], 0, re.compile(expression, re.M)
    while (match := compiled.search(bytes_, at)):
        if match.end() - match.start() > 65536:
            short = compiled.match(bytes_[:match.start() + 65536], match.start())
            if not short:
                at = match.start() + 1
                continue
            match = short
        wanted.append((BASE + match.start(), match.end() - match.start()))
        at = match.end()
    assert find(pidmem, tmp_path / "dump", "-e", expression).places == wanted
