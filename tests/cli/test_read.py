# SPDX-License-Identifier: LGPL-2.1-or-later
"""`read`: the canonical dump of hexdump -C with 64-bit addresses, and `??` where there is nothing."""

import json
import os
import re
import shutil
import subprocess

import oracle
import pytest
from conftest import PAGE, check_account, pattern
from oracle import Memory

LINE = re.compile(r"([0-9a-f]{16})  ((?:(?:[0-9a-f?]{2}| {2}) {1,2}){16}) ?\|(.*)\|")


def known_bytes():
    """What `plain` holds at `bytes`."""
    data = bytearray(pattern(4, 1))
    data[PAGE:PAGE + 512] = bytes(512)
    data[2 * PAGE + 5:2 * PAGE + 105] = bytes(100)
    return bytes(data)


def canonical(data, address, *options):
    """What hexdump -C prints of the bytes, with the address added to its first column."""
    text = subprocess.run(["hexdump", "-C", *options], input=data, capture_output=True, check=True).stdout.decode()
    return re.sub(r"^[0-9a-f]{8,}", lambda m: f"{int(m.group(), 16) + address:016x}", text, flags=re.MULTILINE)


def tool(name):
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")


@pytest.mark.parametrize("start,size", [(0, 16), (0, 1), (0, 17), (0, 4096), (0, 4 * PAGE), (PAGE, 512), (PAGE, 600),
                                        (PAGE - 32, 700), (2 * PAGE, 128), (16, 15), (PAGE, 513), (PAGE + 496, 17)])
def test_as_hexdump_does(pidmem, victim, start, size):
    tool("hexdump")
    one = victim("plain")
    result = pidmem("read", one.pid, f"{one.bytes + start:x}", str(size))
    assert result.code == 0 and result.err == "", result
    assert result.text == canonical(known_bytes()[start:start + size], one.bytes + start)


@pytest.mark.parametrize("start", [1, 7, 15, 4095, 4093])
def test_odd_start(pidmem, victim, start):
    """Whether rows begin at the address or at a multiple of 16: each byte stands under its own address."""
    one = victim("plain")
    result = pidmem("read", one.pid, f"{one.bytes + start:x}", "333")
    assert unhex(result.text, one.bytes + start, 333) == list(known_bytes()[start:start + 333])


def unhex(text, address, size):
    """Bytes of a hexdump by address; None for `??`."""
    found = [-1] * size
    squeezed = False
    before = None
    for line in text.splitlines():
        if line == "*":
            squeezed = True
            continue
        match = LINE.fullmatch(line)
        row = int((match or re.match(r"([0-9a-f]+)", line)).group(1), 16)
        if squeezed:
            start, cells = before
            for at in range(start + 16, row, 16):
                put(found, at - address, cells)
            squeezed = False
        if match:
            cells = match.group(2)
            cells = [cells[i:i + 2] for i in (*range(0, 24, 3), *range(25, 49, 3))]
            put(found, row - address, cells)
            before = row, cells
    return found


def put(found, position, cells):
    for i, cell in enumerate(cells):
        if 0 <= position + i < len(found) and cell.strip():
            found[position + i] = None if cell == "??" else int(cell, 16)


def test_default_length_is_short(pidmem, victim):
    one = victim("plain")
    result = pidmem("read", one.pid, f"{one.bytes:x}")
    assert result.code == 0 and 1 <= len(result.text.splitlines()) <= 64
    assert LINE.fullmatch(result.text.splitlines()[0]), result


def test_raw(pidmem, victim):
    one = victim("plain")
    result = pidmem("read", "--raw", one.pid, f"{one.bytes + 3:x}", str(3 * PAGE))
    assert result.out == known_bytes()[3:3 + 3 * PAGE]


def test_as_xxd_does(pidmem, victim):
    tool("xxd")
    one = victim("plain")
    for start, size in ((0, 16), (0, 100), (PAGE, 1000), (0, 4 * PAGE)):
        data = known_bytes()[start:start + size]
        theirs = subprocess.run(["xxd"], input=data, capture_output=True, check=True).stdout.decode()
        ours = pidmem("read", "--xxd", one.pid, f"{one.bytes + start:x}", str(size)).text
        moved = re.sub(r"^[0-9a-f]+", lambda m, s=start: f"{int(m.group(), 16) + one.bytes + s:016x}", theirs,
                       flags=re.MULTILINE)
        assert ours == moved


def test_xxd_reads_it_back(pidmem, victim, tmp_path):
    tool("xxd")
    one = victim("plain")
    ours = pidmem("read", "--xxd", one.pid, f"{one.bytes:x}", "5000").out
    back = subprocess.run(["xxd", "-r", "-s", f"-0x{one.bytes:x}"], input=ours, capture_output=True, check=False)
    if back.returncode:
        pytest.skip(f"this xxd cannot seek that far: {back.stderr.decode()}")
    assert back.stdout == known_bytes()[:5000]


@pytest.mark.parametrize("form", ["{:x}", "0x{:x}", "0X{:X}", "{:X}", "0000{:x}"])
def test_forms_of_an_address(pidmem, victim, form):
    one = victim("plain")
    result = pidmem("read", "--raw", one.pid, form.format(one.bytes), "16")
    assert result.out == pattern(1, 1)[:16], result


def test_length_in_hex(pidmem, victim):
    one = victim("plain")
    assert len(pidmem("read", "--raw", one.pid, f"{one.bytes:x}", "0x20").out) == 32
    assert len(pidmem("read", "--raw", one.pid, f"{one.bytes:x}", "20").out) == 20


def test_name_and_offset(pidmem, victim):
    one = victim("plain")
    regions = oracle.regions(one.pid)
    heap = next(region for region in regions if region.path == b"[heap]")
    result = pidmem("read", "--raw", one.pid, f"[heap]+0x{one.heap - heap.start:x}", "19")
    assert result.out == b"heap: the lazy dog\0"
    assert pidmem("read", "--raw", one.pid, f"[heap]+{one.heap - heap.start:x}", "4").out == b"heap"
    libc = next(region for region in regions if b"/libc" in region.path)
    name = libc.path.decode().rsplit("/", 1)[1]
    for spelling in (f"{name}+0x1", f"{libc.path.decode()}+1"):
        assert pidmem("read", "--raw", one.pid, spelling, "3").out == b"ELF"
    image = next(region for region in regions if region.path.endswith(b"/plain"))
    assert pidmem("read", "--raw", one.pid, f"plain+{one.data - image.start:x}", "5").out == b"data:"


def test_across_the_border_of_two_regions(pidmem, victim):
    one = victim("straddle")
    result = pidmem("read", "--raw", one.pid, f"{one.secret:x}", "30")
    assert (result.code, result.out) == (0, b"over-the-border-of-two-regions")


def test_guard_page_inside_is_question_marks(pidmem, victim):
    one = victim("guard")
    result = pidmem("read", one.pid, f"{one.region:x}", str(4 * PAGE))
    assert result.code == 0, result
    expected = [None] * PAGE + list(pattern(16, 2)[PAGE:4 * PAGE])
    assert unhex(result.text, one.region, 4 * PAGE) == expected


def test_guard_page_in_the_middle_of_a_row(pidmem, victim):
    one = victim("guard")
    start = one.region + PAGE - 5
    result = pidmem("read", one.pid, f"{start:x}", "21")
    assert result.code == 0, result
    assert unhex(result.text, start, 21) == [None] * 5 + list(pattern(16, 2)[PAGE:PAGE + 16])


def test_zeros_and_unknown_bytes_are_not_squeezed_together(pidmem, victim):
    """A row of zeros, then rows of nothing: two different things."""
    one = victim("uffd")
    result = pidmem("read", one.pid, f"{one.private:x}", str(4 * PAGE))
    assert result.code == 0, result
    assert unhex(result.text, one.private, 4 * PAGE) == list(pattern(1, 24)) + [None] * 3 * PAGE


def test_raw_never_invents(pidmem, victim):
    """--raw has no way to write `??`: bytes that do not exist must not become zeros in silence."""
    one = victim("guard")
    result = pidmem("read", "--raw", one.pid, f"{one.region + 6 * PAGE:x}", str(2 * PAGE))
    assert result.out in (b"", pattern(16, 2)[6 * PAGE:7 * PAGE]), "made up bytes"
    assert result.err.startswith("pidmem: ") or "guard" in result.err, result


def test_untouched_is_zero(pidmem, victim):
    one = victim("untouched")
    result = pidmem("read", one.pid, f"{one.private + 12345 * 16:x}", "64")
    assert result.code == 0, result
    assert unhex(result.text, one.private + 12345 * 16, 64) == [0] * 64


def test_a_long_stretch_of_zeros_is_two_lines(pidmem, victim):
    one = victim("untouched")
    result = pidmem("read", one.pid, f"{one.private:x}", str(1 << 30))
    lines = result.text.splitlines()
    assert (len(lines), lines[1]) == (3, "*"), result
    assert int(lines[2], 16) == one.private + (1 << 30)


def test_unreadable_is_question_marks_and_exit_3(pidmem, victim):
    one = victim("secretmem")
    result = pidmem("read", one.pid, f"{one.region:x}", "32")
    assert result.code == 3 and "pidmem: " in result.err, result
    assert unhex(result.text, one.region, 32) == [None] * 32


def test_json(pidmem, victim):
    one = victim("guard")
    report = pidmem("read", "-j", one.pid, f"{one.region + 6 * PAGE + 4000:x}", "4096").json
    assert (report["pidmem"], report["command"]) == (1, "read")
    account = check_account(report["account"])
    assert (account["total"], account["no_content"]) == (4096, 4000)
    assert [(int(hole["start"], 16), int(hole["end"], 16), hole["class"], hole["why"]) for hole in report["holes"]] == \
        [(one.region + 7 * PAGE, one.region + 7 * PAGE + 4000, "no_content", "guard")]


def test_unmapped_names_the_neighbours(pidmem, victim):
    one = victim("straddle")
    result = pidmem.fails("read", one.pid, f"{one.region + 4 * PAGE:x}", "1")
    assert f"{one.region + 4 * PAGE:#x}" in result.err.splitlines()[0]
    assert "straddle" in result.err.splitlines()[0], "names the process"
    hint = result.err.splitlines()[1]
    nearest = [int(word, 16) for word in re.findall(r"0x([0-9a-f]+)", hint)]
    regions = oracle.regions(one.pid)
    edges = {region.start for region in regions} | {region.end for region in regions} | \
        {region.end - 1 for region in regions}
    assert nearest and all(address in edges for address in nearest), result


def test_self(pidmem):
    assert pidmem("read", "--raw", "self", "pidmem+0", "4").out == b"\x7fELF"


def test_same_as_an_independent_reader(pidmem, victim):
    """Each region of an ordinary process, by its first and last bytes."""
    one = victim("plain")
    one.stop()
    with Memory(one.pid) as memory:
        for region in oracle.smaps(one.pid):
            if region.untouchable:
                continue
            for start in (region.start, region.end - 100):
                ours = pidmem("read", "--raw", one.pid, f"{start:x}", "100")
                assert (ours.code, ours.out) == (0, memory.read(start, 100)), (hex(start), region.path)


def test_question_marks_have_a_word(pidmem, victim):
    one = victim("guard")
    result = pidmem("read", one.pid, f"{one.region:x}", "256")
    assert result.code == 0, result
    assert result.err == f"pidmem: 256 B at {one.region:#x} have no content: guard pages\n"
    assert pidmem("read", "-q", one.pid, f"{one.region:x}", "256").err == ""


def test_what_is_not_selected_has_a_word(pidmem, victim):
    one = victim("plain")
    result = pidmem("read", "-R", "stack", one.pid, f"{one.bytes:x}", "16")
    assert result.code == 0 and "16 B" in result.err and "not selected" in result.err, result


def test_refused_raw_says_how_much_can_be_had(pidmem, victim):
    one = victim("guard")
    result = pidmem.fails("read", "--raw", one.pid, f"{one.region + 6 * PAGE + 96:x}", "8192")
    assert f"{one.region + 7 * PAGE:#x} in process {one.pid} (guard)" in result.err and "guard pages" in result.err
    again = re.search(r"`pidmem (.*)`", result.err)[1].split()
    assert pidmem(*again).out == pattern(16, 2)[6 * PAGE + 96:7 * PAGE]


@pytest.mark.parametrize("form", [[], ["--raw"], ["--json"]], ids=["dump", "raw", "json"])
def test_end_of_the_target_in_the_middle(pidmem, victim, form):
    """What is out already cannot be taken back: where it ends is said, and JSON stays JSON."""
    one = victim("leave", 64)
    process = pidmem.start("read", *form, one.pid, f"{one.region:x}", str(one.size))
    out = os.read(process.stdout.fileno(), 1)
    one.tell("exit")
    one.process.wait(20)
    rest, err = process.communicate(timeout=60)
    out += rest
    end = re.search(r"the output ends at (0x[0-9a-f]+) and is incomplete", err.decode())
    assert process.returncode == 2 and err.count(b"pidmem: ") == 1 and end, err
    got = int(end[1], 16) - one.region
    assert 0 < got < one.size
    if form == ["--raw"]:
        assert len(out) == got
    elif form == ["--json"]:
        report = json.loads(out)
        assert report["error"] and len(report["bytes"]) == 2 * one.size
        assert report["bytes"].index("??") == 2 * got
        assert check_account(report["account"])["total"] == one.size
    else:
        assert int(out.splitlines()[-1].split()[0], 16) + 16 == one.region + got
