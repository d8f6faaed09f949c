# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that lie. Whatever a header claims costs no more than a second of CPU and 64 MiB, and is an error or an answer
that is true; and random layouts of core files read as a model of them says."""

import json
import os
import resource
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import PAGE, PIDMEM, check_account
from core_maker import PT_LOAD, PT_NOTE, auxv_note, core, elf_header, file_note, note, process_note, program_header
from core_maker import status_note
from dump_reader import Dump
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SANITIZED = os.environ.get("PIDMEM_SANITIZE") == "1"  # needs several times as much
SECONDS = 20 if SANITIZED else 1
MEMORY = (64 + 16) << 20  # of addresses: libraries have some 10 MiB


def limit_memory():
    if not SANITIZED:  # they reserve terabytes
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def frugal(*args):
    """(exit status, stdout, stderr) of pidmem, which must not take more than the limits."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with subprocess.Popen([PIDMEM, *map(str, args)], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                              preexec_fn=limit_memory) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        text = err.read().decode(errors="replace")
        assert usage.ru_utime + usage.ru_stime < SECONDS, (args, usage, text)
        assert process.returncode in (0, 2, 3) and "no memory left" not in text, (args, process.returncode, text)
        return process.returncode, out.read(), text


def sparse(path, head, size):
    """A file that begins so, and is that large, of holes."""
    path.write_bytes(head)
    os.truncate(path, size)


def headers(segments, count=None, bits=64):
    """An ELF header that claims `count` segments, and these program headers."""
    return elf_header(count or len(segments), bits) + b"".join(program_header(*one, bits=bits) for one in segments)


def huge_table(entries):
    return struct.pack("<4IQ", 1, entries, entries, entries, 1 << 60) + bytes(4096)


LIES = {
    "a segment of 2^60 bytes": headers([(PT_LOAD, 4, 4096, 0x10000, 1 << 60, 1 << 60)]),
    "2^60 bytes in the file": headers([(PT_LOAD, 4, 4096, 0x10000, 1 << 60, 1 << 56)]),
    "2^60 bytes of memory": headers([(PT_LOAD, 4, 4096, 0x10000, 0, 1 << 60)]),
    "a file past the end of all files": headers([(PT_LOAD, 4, (1 << 64) - 4096, 0x10000, 4096, 4096)]),
    "the end of the address space": headers([(PT_LOAD, 4, 0, (1 << 64) - 4096, 0, 8192)]),
    "65,535 overlapping segments": headers([(PT_LOAD, 4, 0, 0x10000, 0, 1 << 40)] * 65534, 65534),
    "overlapping by a byte": headers([(PT_LOAD, 4, 0, 0x10000, 0, 4097), (PT_LOAD, 4, 0, 0x11000, 0, 4096)]),
    "four billion segments": elf_header(0xFFFF, section=64) + struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 1, 0,
                                                                         0xFFFFFFFF, 0, 0),
    "headers of 8 bytes": elf_header(10, phentsize=8) + bytes(4096),
    "32 bits and more than 4 GiB": headers([(PT_LOAD, 4096, 0xFFFFF000, 0, 0, 0x2000)][:0] +
                                           [(PT_LOAD, 4, 0, 0xFFFFF000, 0, 0x2000)], bits=32),
}

BOMBS = {
    "notes of 2^40 bytes": headers([(PT_NOTE, 0, 4096, 0, 1 << 40, 0)]),
    "NT_FILE of 2^60 files": core([(0x10000, 6, b"x", PAGE)],
                                  note("CORE", 0x46494C45, struct.pack("<2Q", 1 << 60, 4096) + bytes(4096))),
    "tables of 2^32 entries": core([(0x10000, 6, b"x", PAGE)], tables=huge_table(0xFFFFFFFF)),
    "a note of 2^32 bytes": core([(0x10000, 6, b"x", PAGE)], struct.pack("<III", 5, 0xFFFFFFFF, 1) + b"CORE\0\0\0\0"),
    "65,535 zero segments": headers([(PT_LOAD, 6, 0, 0x10000 + i * 0x20000, 0, PAGE) for i in range(65534)], 65534),
    "JSON of brackets": core([(0x10000, 6, b"x", PAGE)], note("pidmem", 0x504D454D, b"[" * 900000)),
    "a hundred times the same notes": headers([(PT_NOTE, 0, 8192, 0, 1 << 20, 0)] * 100),
}


@pytest.mark.parametrize("what", LIES)
def test_lies(tmp_path, what):
    path = tmp_path / "core"
    sparse(path, LIES[what], 1 << 40)
    for command in (["maps"], ["info"], ["read"], ["dump", "-o", tmp_path / "out"], ["core", "-o", tmp_path / "out"]):
        operands = [path, "10000", "64"] if command == ["read"] else [path]
        code, out, err = frugal(*command, *operands)
        assert (code, out) == (2, b""), (command, err)
        assert "its headers cannot be true" in err, err
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("what", BOMBS)
def test_bombs(tmp_path, what):
    path = tmp_path / "core"
    sparse(path, BOMBS[what], max(1 << 40, len(BOMBS[what])))
    for command in ("maps", "info"):
        code, out, _ = frugal(command, "-j", path)
        assert code == 0
        json.loads(out)
    code, out, err = frugal("dump", "-j", "-o", tmp_path / "out", path)
    assert code == 0, err
    check_account(json.loads(out)["account"])


MATCHES = b"PMFOUND1" + struct.pack("<2I", 0, 0x01020304)


MATCH_LIES = {
    "a match of 2^60 bytes": b"\x01" + b"\x80" * 8 + b"\x10" + b"x" * 64,
    "past the end of the address space": (b"\xff" * 9 + b"\x01" + b"\x02xx") * 2,
    "a number without an end": b"\xff" * 4096,
    "another number of them": b"\x01\x01x\0\0" + struct.pack("<Q", 1 << 60),
    "no end": b"\x01\x01x" * 300000,
}


@pytest.mark.parametrize("what", MATCH_LIES)
def test_matches_of_lies(tmp_path, what):
    path, matches = tmp_path / "core", tmp_path / "matches"
    path.write_bytes(core([(0x10000, 6, b"x" * PAGE, PAGE)], status_note(1)))
    for size in (0, 1 << 40):
        matches.write_bytes(MATCHES + MATCH_LIES[what])
        os.truncate(matches, max(size, matches.stat().st_size))
        code, _, err = frugal("find", "--in", matches, path, "x")
        assert code == 2 and str(matches) in err, err


def omitting(count, content=b"x" * PAGE * 4):
    record = {"pidmem": 1, "command": "core", "consistency": "stopped", "holes": [], "holes_omitted": count}
    return core([(0x10000, 6, content, len(content))], note("pidmem", 0x504D454D, json.dumps(record).encode()))


def test_holes_behind_everything(pidmem, tmp_path):
    """What found no room in the note: with it nothing is taken for zeros, without it that is told."""
    guard, io = (3, 4), (4, 13)
    entries = struct.pack("<2Q2I", 0x11000, PAGE, *guard) + struct.pack("<2Q2I", 0x13000, 16, *io)
    path = tmp_path / "core"
    path.write_bytes(omitting(2) + entries + b"PMHOLES1" + struct.pack("<Q", 2))
    result = pidmem("info", "-j", path)
    assert result.code == 3
    assert [(hole["start"], hole["class"], hole["why"]) for hole in result.json["holes"]] == \
        [("0x11000", "no_content", "guard"), ("0x13000", "unreadable", "io")]
    path.write_bytes(omitting(2))
    result = pidmem("info", "-j", path)
    assert result.code == 0 and not result.json["file"]["complete"]
    assert any("does not tell of 2 more ranges" in remark for remark in result.json["remarks"])
    for count in (0xFFFFFFFF, 1 << 61, 1):  # lies
        path.write_bytes(omitting(2) + bytes(24) + b"PMHOLES1" + struct.pack("<Q", count))
        code, out, _ = frugal("info", "-j", path)
        assert code == 0 and json.loads(out)["holes"] == []


def test_hole_of_terabytes(tmp_path):
    """A segment whose bytes are a hole of the file costs nothing, and is zero."""
    path = tmp_path / "core"
    sparse(path, headers([(PT_LOAD, 6, 1 << 20, 1 << 40, 8 << 40, 8 << 40)]), (8 << 40) + (1 << 20))
    code, out, err = frugal("dump", "-j", "-o", tmp_path / "raw", path)
    assert code == 0, err
    assert json.loads(out)["account"] == {"total": 8 << 40, "read": 0, "zero": 8 << 40, "excluded": 0, "no_content": 0,
                                          "unreadable": 0}
    code, out, err = frugal("read", path, hex((1 << 40) + (5 << 40)), "64")
    assert code == 0 and b"00 00 00 00" in out, err


def test_index_of_lies(tmp_path):
    """The file is what it is, whatever the index says."""
    path = tmp_path / "raw"
    path.write_bytes(b"x" * PAGE)
    line = {"pidmem": 1, "command": "dump", "start": "0x1000", "end": "0x10000000000000000", "offset": 0, "perms": "rw-p",
            "path": ""}
    path.with_name("raw.index").write_text(json.dumps(line) + "\n")
    code, out, _ = frugal("info", "-j", path)
    assert code in (2, 3)
    if code == 3:
        account = json.loads(out)["account"]
        assert account["read"] == PAGE and account["unreadable"] == (1 << 64) - 0x1000 - PAGE
    split = tmp_path / "split"
    split.mkdir()
    for name in ("../raw", "/etc/passwd", "", ".", "..", "a/b"):
        (split / "index").write_text(json.dumps({**line, "end": "0x2000", "file": name}) + "\n")
        code, _, err = frugal("maps", split)
        assert code == 2 and "names no file of the directory" in err, err


def test_changed_while_it_is_read(tmp_path, pidmem):
    """A file that is cut after it was opened: nothing is invented, and nothing crashes."""
    path = tmp_path / "core"
    path.write_bytes(core([(0x10000, 6, os.urandom(4 << 20), 4 << 20)], status_note(1)))
    os.mkfifo(tmp_path / "out")
    process = pidmem.start("core", "-o", tmp_path / "out", path)
    with open(tmp_path / "out", "rb") as reader:
        reader.read(100)
        os.truncate(path, 4096)
        while reader.read(1 << 20):
            pass
    _, err = process.communicate(timeout=60)
    assert process.returncode in (0, 3), err


# Random layouts.

NAMES = [b"/bin/a", b"/lib/b c", b"/lib/d (deleted)", b"/dev/zero (deleted)", b"/x\xff\n"]
BASE = 0x10000


@st.composite
def layouts(draw):
    """(segments, files): segments as for core(), in pages of a small window, in any order."""
    segments, files, at = [], [], 0
    for gap, pages, saved, flags in draw(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5), st.integers(0, 5 * PAGE),
                                                            st.integers(0, 7)), max_size=8)):
        at += gap
        content = draw(st.sampled_from([b"\0", b"z", b"ab"])) * saved
        segments.append((BASE + at * PAGE, flags, content[:min(saved, pages * PAGE)], pages * PAGE))
        at += pages
    at = 0
    for gap, pages, name in draw(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6), st.sampled_from(NAMES)),
                                          max_size=5)):
        at += gap
        files.append((BASE + at * PAGE, BASE + (at + pages) * PAGE, draw(st.integers(0, 9)) * PAGE, name))
        at += pages
    if draw(st.booleans()):
        segments.reverse()
        files.reverse()
    return segments, files


def check_regions(regions, segments, files):
    """Each byte of a segment or of a mapped file is in one region, in order; perms and names are as they say."""
    position, covered = 0, set()
    for region in regions:
        start, end = int(region["start"], 16), int(region["end"], 16)
        assert position <= start < end
        position = end
        covered.update(range(start, end, PAGE))
        inside = [one for one in segments if one[0] <= start and end <= one[0] + one[3]]
        assert len(inside) <= 1
        letters = "".join(letter if inside and inside[0][1] & bit else "-" for letter, bit in zip("rwx", (4, 2, 1)))
        assert region["perms"][:3] == (letters if inside else "???"), region
        named = [one for one in files if one[0] <= start and end <= one[1]]
        name = named[0][3].removesuffix(b" (deleted)") if named else b""
        path = bytes.fromhex(region["path_hex"]) if "path_hex" in region else region["path"].encode()
        assert path == name, region
        assert not named or int(region["offset"], 16) == named[0][2] + start - named[0][0]
    wanted = {page for start, _, _, size in segments for page in range(start, start + size, PAGE)}
    wanted |= {page for start, end, *_ in files for page in range(start, end, PAGE)}
    assert covered == wanted


@settings(max_examples=int(os.environ.get("PIDMEM_EXAMPLES", "60")), deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(layout=layouts(), cut=st.integers(0, 40 * PAGE))
def test_random_layouts(pidmem, layout, cut):
    segments, files = layout
    notes = status_note(7) + process_note(7, b"made", b"made up ") + auxv_note([]) + (file_note(files) if files else b"")
    data = core(segments, notes)
    offsets, at = {}, len(data)
    for start, _, content, _ in reversed(segments):
        at -= len(content)
        offsets[start] = at
    length = max(len(data) - cut, 64 + 56 * (len(segments) + 1) + len(notes))
    with tempfile.TemporaryDirectory(prefix="pidmem-test-") as name:
        path = Path(name) / "core"
        path.write_bytes(data[:length])
        maps = pidmem("maps", "-j", path)
        assert maps.code == 0, maps
        check_regions(maps.json["regions"], segments, files)
        result = pidmem("dump", "-j", "-o", Path(name) / "raw", path)
        lost = sum(max(0, offsets[start] + len(content) - max(length, offsets[start])) for start, _, content, _ in segments)
        assert result.code == (3 if lost else 0), result
        account = check_account(result.json["account"])
        assert account["unreadable"] == lost
        with Dump(Path(name) / "raw") as dump:
            assert dump.check(account) == []
            for start, _, content, size in segments:
                there = max(0, min(len(content), length - offsets[start]))
                if there:
                    assert dump.read(start, there) == content[:there]
                if there < len(content):
                    assert dump.explained(start + there, start + len(content)) == {("unreadable", "truncated")}
                if len(content) < size:
                    assert dump.explained(start + len(content), start + size) == {("excluded", "not-saved")}
        again = pidmem("core", "-o", Path(name) / "again", path)
        assert again.code == result.code, again
        other = pidmem("dump", "-j", "-o", Path(name) / "raw2", Path(name) / "again")
        assert other.json["account"] == account
        assert (Path(name) / "raw2").read_bytes() == (Path(name) / "raw").read_bytes()
        assert (Path(name) / "raw2.index").read_bytes() == (Path(name) / "raw.index").read_bytes()


def test_more_segments_than_the_header_counts(pidmem, tmp_path):
    """PN_XNUM; and without the end of the file, where the number stands."""
    count = 70000
    data = core([(BASE + 2 * i * PAGE, 6, b"%06d" % i, PAGE) for i in range(count)], status_note(1))
    path = tmp_path / "core"
    path.write_bytes(data)
    assert len(pidmem("maps", "-j", path).json["regions"]) == count
    assert pidmem("read", "--raw", path, hex(BASE + 2 * 69999 * PAGE), "6").out == b"069999"
    path.write_bytes(data[:-600])
    result = pidmem("info", "-j", path)
    assert result.code == 3 and result.json["kinds"][-1]["count"] == count
