# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `maps` and `info` draw on a terminal: strips, gaps, bars, at any width, with and without UTF-8 and colour."""

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios

import oracle
import pytest
from conftest import PAGE

BLOCKS = "▁▂▃▄▅▆▇█"
COLOUR = re.compile("\033\\[[0-9;]*m")
WIDTHS = [60, 80, 109, 110, 200]


class Screen:
    """A terminal of some size that pidmem draws on."""

    def __init__(self, pidmem, *args, width=80, height=24, utf8=True, env=None):
        self.ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        locale = {"LC_ALL": "C.UTF-8" if utf8 else "C", "TERM": "xterm-256color", "NO_COLOR": "", **(env or {})}
        self.process = pidmem.start(*args, stdout=theirs, env=locale)
        os.close(theirs)

    def read(self):
        try:
            return os.read(self.ours, 65536)
        except OSError:  # EIO: nobody holds the other side any more
            return b""

    def until(self, pattern):
        """What came, as far as a pattern fits; to the end if it never does."""
        text = b""
        while not re.search(pattern, text):
            more = self.read()
            assert more, f"no {pattern!r} in {text[-2000:]!r}"
            text += more
        return text

    def text(self, code=0):
        text = b""
        while chunk := self.read():
            text += chunk
        os.close(self.ours)
        assert self.process.wait(20) == code, self.process.stderr.read()
        return text.decode().replace("\r\n", "\n")


def draw(pidmem, *args, code=0, **options):
    return Screen(pidmem, *args, **options).text(code)


def plain(text):
    return COLOUR.sub("", text)


def strip_of(text, address):
    """The strip in the row of a region."""
    line = next(line for line in plain(text).splitlines() if line.strip().startswith(f"{address:x}"))
    return next(word for word in line.split() if re.fullmatch(f"[{BLOCKS}▓░▒┊·]+|[#=+zsg.]{{8,}}", word))


@pytest.mark.parametrize("utf8", [True, False], ids=["utf8", "ascii"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("command", ["maps", "info"])
def test_no_line_is_wider_than_the_terminal(pidmem, victim, tmp_path, command, width, utf8):
    name = tmp_path / ("long-name-" * 20)
    name.write_bytes(b"content")
    one = victim("mapfiles", name)
    text = plain(draw(pidmem, command, one.pid, width=width, utf8=utf8))
    if command == "info":  # what it says in lines of text, and build-ids, are as long as they are
        text = text[text.index("KIND"):text.index("BUILD-ID")].rpartition("\n")[0]
    wide = [line for line in text.splitlines() if len(line) > width and not re.match(r"\d+ regions, ", line)]
    assert not wide
    assert utf8 or text.isascii()


@pytest.mark.parametrize("width", [0, *WIDTHS])
def test_strips_stand_for_the_pages_that_are_there(pidmem, victim, width):
    one = victim("guard")
    one.stop()
    region = next(region for region in oracle.smaps(one.pid) if region.start <= one.region < region.end)
    ascii_strip = strip_of(draw(pidmem, "maps", one.pid, width=width, utf8=False), region.start)
    assert len(ascii_strip) >= 8
    assert ascii_strip[0] in "g+" and ascii_strip.strip("g") and "#" in ascii_strip
    blocks = strip_of(draw(pidmem, "maps", one.pid, width=width), region.start)
    assert [sign in "#+" for sign in ascii_strip] == [sign in BLOCKS for sign in blocks]
    assert [sign == "#" for sign in ascii_strip] == [sign == "█" for sign in blocks]


@pytest.mark.parametrize("env,utf8,own,foreign", [
    ({}, True, "█", "█"), ({"NO_COLOR": "1"}, True, "█", "▓"), ({"TERM": "dumb"}, True, "█", "▓"), ({}, False, "#", "=")],
    ids=["colour", "NO_COLOR", "dumb", "ascii"])
def test_own_and_shared_are_told_apart(pidmem, victim, env, utf8, own, foreign):
    """Where there is no colour, by other signs; and the line that tells them is one line of 80."""
    one = victim("plain")
    one.stop()
    text = draw(pidmem, "maps", one.pid, width=80, utf8=utf8, env=env)
    regions = [region for region in oracle.smaps(one.pid) if region.numbers["Rss"] == region.size]
    private = [region for region in regions if region.numbers["Anonymous"] == region.size]
    of_files = [region for region in regions if region.path.startswith(b"/") and not region.numbers["Anonymous"]]
    assert private and of_files
    for some, sign in ((private, own), (of_files, foreign)):
        for region in some:
            assert not strip_of(text, region.start).strip(sign), region
    assert f"\n{own} own  {foreign} files or shared  " in plain(text) and re.search("^.*files or shared.* nothing$", plain(text), re.M)
    if own == foreign:
        assert len({colour for colour, _ in re.findall("(\033\\[[0-9]+m)█\033\\[0m (own|files)", text)}) == 2


def test_what_was_never_touched_is_drawn_as_nothing(pidmem, victim):
    one = victim("untouched")
    one.stop()
    regions = [region for region in oracle.smaps(one.pid) if region.size >= 1 << 20 and not region.numbers["Rss"]]
    assert regions
    text = draw(pidmem, "maps", one.pid, width=120)
    for region in regions:
        assert not strip_of(text, region.start).strip("·")


def test_no_picture_without_a_terminal(pidmem, victim):
    one = victim("plain")
    for command in ("maps", "info"):
        text = pidmem(command, one.pid, env={"LC_ALL": "C.UTF-8"}).text
        assert not set(text) & set(BLOCKS + "⋮·") and "PAGES" not in text and "free" not in text


def test_gaps_are_folded(pidmem, victim):
    one = victim("plain")
    one.stop()
    regions = oracle.smaps(one.pid)
    large = [two.start - before.end for before, two in zip(regions, regions[1:]) if two.start - before.end >= 1 << 30]
    text = plain(draw(pidmem, "maps", one.pid))
    assert len(re.findall("^⋮ .* free$", text, re.M)) == len(large)


def test_what_is_not_selected_is_not_free(pidmem, victim):
    """Between heap and stack 24 TiB are mapped and not listed."""
    one = victim("reserve")
    one.stop()
    regions = oracle.smaps(one.pid)
    shown = [i for i, region in enumerate(regions) if region.path in (b"[heap]", b"[stack]")]
    free = sum(regions[i + 1].start - regions[i].end for i in range(shown[0], shown[1]))
    told = re.findall("^⋮ (.*) free$", plain(draw(pidmem, "maps", "-R", "heap", "-R", "stack", one.pid)), re.M)
    assert len(told) == 1
    number, unit = told[0].split()
    assert abs(float(number) * 1024 ** ("bytes", "KiB", "MiB", "GiB", "TiB").index(unit) - free) <= 0.06 * 1024 ** 4


def test_kinds_and_bars(pidmem, victim):
    one = victim("plain")
    one.stop()
    text = plain(draw(pidmem, "maps", one.pid))
    summary = text[text.index("KIND     COUNT"):]
    rss = {}
    for kind in pidmem("info", "-j", one.pid).json["kinds"]:
        rss[kind["kind"]] = kind["rss"]
        assert re.search(rf"^{kind['kind']} +{kind['count']} ", summary, re.M)
    largest = max((kind for kind in rss if kind != "all"), key=rss.get)
    bars = {line.split()[0]: line.count("█") for line in summary.splitlines() if line and line.split()[0] in rss}
    assert bars[largest] == max(bars.values()) > 0


@pytest.mark.parametrize("env,args,there", [
    ({}, [], True), ({"NO_COLOR": "1"}, [], False), ({"TERM": "dumb"}, [], False), ({}, ["--color=never"], False),
    ({"NO_COLOR": "1"}, ["--color=always"], True)], ids=["terminal", "NO_COLOR", "dumb", "never", "always"])
def test_colour(pidmem, victim, env, args, there):
    one = victim("plain")
    for command in ("maps", "info"):
        assert ("\033[" in draw(pidmem, command, one.pid, *args, env=env)) == there


GROWING = """
import mmap, sys
memory = mmap.mmap(-1, 1 << 24, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
print("ready", flush=True)
for line in sys.stdin:
    memory[:1 << 22] = b"x" * (1 << 22)
    print("grown", flush=True)
"""


def test_watch_marks_what_grew_and_ends_with_the_process(pidmem):
    with subprocess.Popen([sys.executable, "-c", GROWING], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as grower:
        assert grower.stdout.readline() == b"ready\n"
        screen = Screen(pidmem, "maps", "--watch=0.1", grower.pid, width=120)
        screen.until(rb"swapped\r\n")
        grower.stdin.write(b"grow\n")
        grower.stdin.flush()
        screen.until(rb"\+(4|8) MiB .*resident \(\+(4|8)(\.\d)? MiB\)".replace(b".*", rb"(?s:.*)"))
        grower.stdin.close()
        grower.wait()
        screen.text()


# Shared: it does not become one with what lies beside it.
ALMOST = """
import ctypes, mmap, sys
memory = mmap.mmap(-1, 64 * 4096, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
for page in range(64):
    if page % 8:
        memory[page * 4096] = 1
print(hex(ctypes.addressof(ctypes.c_char.from_buffer(memory))), flush=True)
sys.stdin.readline()
"""


def test_what_is_almost_full_is_not_drawn_as_full(pidmem):
    """Of each eight pages one is missing."""
    with subprocess.Popen([sys.executable, "-c", ALMOST], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        address = int(program.stdout.readline(), 16)
        region = next(region for region in oracle.smaps(program.pid) if region.start <= address < region.end)
        strips = [strip_of(draw(pidmem, "maps", "-R", f"{address:x}-{address + 64 * PAGE:x}", program.pid, utf8=utf8), region.start)
                  for utf8 in (True, False)]
        program.stdin.close()
    assert "█" not in strips[0] and not set("#=") & set(strips[1]), strips


@pytest.mark.parametrize("width,height", [(60, 20), (80, 12), (200, 24)])
def test_what_is_watched_fits_the_screen(pidmem, width, height):
    with subprocess.Popen([sys.executable, "-c", GROWING], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as grower:
        assert grower.stdout.readline() == b"ready\n"
        screen = Screen(pidmem, "maps", "--watch=0.1", grower.pid, width=width, height=height)
        screen.until(rb"swapped\r\n")
        grower.stdin.write(b"grow\n")
        grower.stdin.flush()
        text = screen.until(rb"resident \(\+[^)]*\).*swapped\r\n").rpartition(b"\033[H\033[2J")[2]
        grower.stdin.close()
        grower.wait()
        screen.text()
    lines = plain(text.decode()).split("\r\n")
    assert "START" in lines[0]
    assert sum(max(1, -(-len(line) // width)) for line in lines) <= height


LEAVING = """
import mmap, sys
memory = mmap.mmap(-1, 1 << 24, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
print("ready", flush=True)
sys.stdin.readline()
memory.close()
sys.stdin.readline()
"""


@pytest.mark.parametrize("terminal", ["xterm", "dumb"])
def test_watch_tells_what_has_gone(pidmem, terminal):
    with subprocess.Popen([sys.executable, "-c", LEAVING], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as leaver:
        assert leaver.stdout.readline() == b"ready\n"
        screen = Screen(pidmem, "maps", "--watch=0.1", leaver.pid, env={"TERM": terminal})
        text = screen.until(rb"swapped\r\n")
        leaver.stdin.write(b"leave\n")
        leaver.stdin.flush()
        text += screen.until(rb"swapped, 1 region gone\r\n")
        assert (b"\033" in text) == (terminal != "dumb")
        leaver.stdin.close()
        leaver.wait()
        screen.text()


@pytest.mark.parametrize("args", [["--watch=x"], ["--watch=0"], ["--watch", "-j"], ["--watch", "-x"], ["--watch"]])
def test_watch_refuses(pidmem, victim, args):
    pidmem.fails("maps", *args, victim("plain").pid)
