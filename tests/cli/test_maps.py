# SPDX-License-Identifier: LGPL-2.1-or-later
"""`maps`: the regions as /proc has them, whatever their names are, and the columns of pmap -x."""

import fnmatch
import os
import re
import shutil
import subprocess

import oracle
import pytest
from conftest import PAGE, TARGETS

FIELDS = {"start", "end", "perms", "offset", "dev", "inode", "path", "deleted", "kind", "rss", "swap"}


def number(value):
    return int(value, 16) if isinstance(value, str) else value


def unescape(path):
    """A path of maps with newlines as they are."""
    return path.replace(b"\\012", b"\n")


def kind(region):
    if region.path.startswith((b"[vdso", b"[vvar", b"[vsyscall")):
        return "vdso"
    if region.perms[3] == "s":
        return "shared"
    if region.path == b"[heap]":
        return "heap"
    if region.path == b"[stack]":
        return "stack"
    return "file" if region.inode else "anon"


def listed(pidmem, pid, *options, **more):
    result = pidmem("maps", "-j", *options, pid, **more)
    assert result.code == 0 and result.err == "", result
    report = result.json
    assert (report["pidmem"], report["command"]) == (1, "maps")
    assert all(region.keys() >= FIELDS for region in report["regions"])
    return report["regions"]


def check(pidmem, pid):
    """Every field of every region, against smaps; the process has to be at rest."""
    ours = listed(pidmem, pid)
    theirs = oracle.smaps(pid)
    assert len(ours) == len(theirs)
    for mine, region in zip(ours, theirs):
        assert (mine["start"], mine["end"]) == (f"{region.start:#x}", f"{region.end:#x}")
        assert mine["perms"] == region.perms
        assert number(mine["offset"]) == region.offset
        assert tuple(int(part, 16) for part in mine["dev"].split(":")) == region.dev, mine
        assert mine["inode"] == region.inode
        path = unescape(region.path)
        if mine["deleted"]:
            path = path.removesuffix(b" (deleted)")
        assert mine["path"].encode() == path
        assert mine["kind"] == kind(region), mine
        assert (mine["rss"], mine["swap"]) == (region.numbers["Rss"], region.numbers["Swap"]), mine
    return ours


@pytest.mark.parametrize("name", ["plain", "guard", "straddle", "family", "reserve", "thp", "untouched"])
def test_every_field(pidmem, victim, name):
    one = victim(name)
    one.stop()
    check(pidmem, one.pid)


@pytest.mark.parametrize("name", ["truncated", "noaccess", "cow", "secrets"])
def test_every_field_with_files(pidmem, victim, tmp_path, name):
    one = victim(name, tmp_path / "file")
    one.stop()
    check(pidmem, one.pid)


def test_table(pidmem, victim):
    """A line for each region, with range, permissions, kind and name."""
    one = victim("plain")
    one.stop()
    result = pidmem("maps", one.pid)
    assert result.code == 0 and result.err == "", result
    lines = result.text.splitlines()
    for region in oracle.smaps(one.pid):
        line = next(line for line in lines if re.search(rf"\b{region.start:x}-{region.end:x}\b", line))
        assert region.perms in line and kind(region) in line, line
        assert region.path.decode() in line, line
    order = [int(m.group(1), 16) for line in lines if (m := re.match(r"\s*(?:0x)?([0-9a-f]{6,16})-", line))]
    assert order == sorted(order) and len(order) == len(oracle.smaps(one.pid))


@pytest.mark.parametrize("name", ["plain", "guard", "reserve", "thp", "untouched", "straddle"])
def test_as_pmap_does(pidmem, victim, name):
    if not shutil.which("pmap"):
        pytest.skip("pmap is not installed (Debian procps)")
    one = victim(name)
    one.stop()
    theirs = subprocess.run(["pmap", "-x", str(one.pid)], capture_output=True, text=True, check=True).stdout
    ours = pidmem("maps", "-x", one.pid)
    assert ours.code == 0, ours
    assert ours.text == theirs


def test_as_pmap_does_with_deleted_and_shared(pidmem, victim, tmp_path):
    if not shutil.which("pmap"):
        pytest.skip("pmap is not installed (Debian procps)")
    for name, args in (("memfd", []), ("family", []), ("truncated", [tmp_path / "t"]), ("noaccess", [tmp_path / "n"])):
        one = victim(name, *args)
        one.stop()
        theirs = subprocess.run(["pmap", "-x", str(one.pid)], capture_output=True, text=True, check=True).stdout
        assert pidmem("maps", "-x", one.pid).text == theirs


def chosen(pidmem, pid, *terms):
    options = [word for term in terms for word in ("-R", term)]
    return {number(region["start"]) for region in listed(pidmem, pid, *options)}


def test_select_every_form(pidmem, victim, tmp_path):
    one = victim("cow", tmp_path / "file")
    one.stop()
    regions = oracle.smaps(one.pid)

    def starts(test):
        found = {region.start for region in regions if test(region)}
        assert found, "the case is not posed"
        return found

    def base(region):
        return region.path.rsplit(b"/", 1)[-1].decode()

    for name in ("heap", "stack", "anon", "file", "vdso"):
        assert chosen(pidmem, one.pid, name) == starts(lambda r, n=name: kind(r) == n), name
    libc = next(base(region) for region in regions if "libc" in base(region))
    assert chosen(pidmem, one.pid, libc) == starts(lambda r: base(r) == libc)
    assert chosen(pidmem, one.pid, "libc*") == starts(lambda r: fnmatch.fnmatchcase(base(r), "libc*"))
    assert chosen(pidmem, one.pid, "libc*:rx") == \
        starts(lambda r: fnmatch.fnmatchcase(base(r), "libc*") and {"r", "x"} <= set(r.perms))
    assert chosen(pidmem, one.pid, "libc*:rw-p") == \
        starts(lambda r: fnmatch.fnmatchcase(base(r), "libc*") and r.perms == "rw-p")
    full = str(tmp_path / "file")
    assert chosen(pidmem, one.pid, full) == starts(lambda r: r.path.decode() == full)
    assert chosen(pidmem, one.pid, "*:x") == starts(lambda r: "x" in r.perms)
    assert chosen(pidmem, one.pid, "!file") == starts(lambda r: kind(r) != "file")
    assert chosen(pidmem, one.pid, "file", "!libc*") == \
        starts(lambda r: kind(r) == "file" and not fnmatch.fnmatchcase(base(r), "libc*"))
    assert chosen(pidmem, one.pid, "heap", "stack") == starts(lambda r: kind(r) in ("heap", "stack"))
    assert chosen(pidmem, one.pid, f"{one.region + PAGE:x}-{one.region + 2 * PAGE:x}") == {one.region}
    assert chosen(pidmem, one.pid, f"0x{one.region:x}-0x{one.region + PAGE:x}") == {one.region}
    everything = {region.start for region in regions}
    without = chosen(pidmem, one.pid, f"!{one.region:x}-{one.region + 17 * PAGE:x}")
    assert without == everything - {one.region}
    assert chosen(pidmem, one.pid, "[heap]") == starts(lambda r: r.path == b"[heap]") or \
        chosen(pidmem, one.pid, "\\[heap\\]") == starts(lambda r: r.path == b"[heap]")


def test_select_shared(pidmem, victim, tmp_path):
    """`shared` is whatever is MAP_SHARED; `file` takes shared mappings of real files too."""
    one = victim("noaccess", tmp_path / "file")
    regions = oracle.smaps(one.pid)
    assert chosen(pidmem, one.pid, "shared") == {region.start for region in regions if region.perms[3] == "s"}
    files = chosen(pidmem, one.pid, "file")
    assert one.file_none in files and one.shared_none not in files


ODD = [b"two  spaces   three", b" leading", b"trailing ", b"new\nline", b"not gone (deleted)", b"latin-\xe9\xff",
       b"back\\012slash", b"tab\tand\x1b[31mescape", "ünïcödé".encode(), b"\xf0\x9f\x90\xa7", b"[heap]",
       b"0-1 rw-p", b"quote\"and'", b"a" * 255]


@pytest.mark.parametrize("name", ODD)
def test_odd_names(pidmem, victim, tmp_path, name):
    path = os.fsencode(tmp_path) + b"/" + name
    with open(path, "wb") as file:
        file.write(b"the content")
    one = victim("mapfiles", path)
    region = next(r for r in listed(pidmem, one.pid) if number(r["start"]) == one.file1)
    assert region["deleted"] is False and region["kind"] == "file"
    try:
        assert region["path"] == path.decode()
    except UnicodeDecodeError:  # escaped: all that is ASCII is as it was
        assert region["path"].startswith(os.fsdecode(tmp_path) + "/latin-"), region
        assert re.search(r"(?i)e9.*ff", region["path"][len(os.fsdecode(tmp_path)):]), region
    table = pidmem("maps", one.pid)
    lines = [line for line in table.out.split(b"\n") if b"%x-" % one.file1 in line]
    assert len(lines) == 1 and b"\x1b" not in table.out and b"\xff" not in table.out, lines
    assert table.out.count(b"\n") == pidmem("maps", one.process.pid).out.count(b"\n")
    read = pidmem("read", "--raw", one.pid, f"{one.file1:x}", "11")
    assert read.out == b"the content"


@pytest.mark.parametrize("name", [b"gone", b"gone (deleted)", b"gone\nfor good", b"two  spaces "])
def test_deleted_names(pidmem, victim, tmp_path, name):
    path = os.fsencode(tmp_path) + b"/" + name
    with open(path, "wb") as file:
        file.write(b"the content")
    one = victim("mapfiles", "--delete", path)
    region = next(r for r in listed(pidmem, one.pid) if number(r["start"]) == one.file1)
    assert (region["path"].encode(), region["deleted"]) == (path, True)


def test_memfd_is_deleted(pidmem, victim):
    one = victim("memfd")
    region = next(r for r in listed(pidmem, one.pid) if number(r["start"]) == one.region)
    assert (region["path"], region["deleted"], region["kind"]) == ("/memfd:two  spaces", True, "shared")


def test_65000_regions(pidmem, victim):
    one = victim("many", 65000)
    one.stop()
    ours = listed(pidmem, one.pid)
    theirs = oracle.regions(one.pid)
    assert [(r["start"], r["end"], r["perms"]) for r in ours] == \
        [(f"{r.start:#x}", f"{r.end:#x}", r.perms) for r in theirs]
    assert len(ours) > 65000
    address = one.region + 32000 * PAGE
    assert pidmem("read", "--raw", one.pid, f"{address:x}", "19").out == b"region number 32000"


def test_32_bit_program(pidmem, victim, tmp_path):
    source = os.path.dirname(__file__) + "/../targets"
    build = subprocess.run(["gcc", "-m32", "-D_GNU_SOURCE", source + "/bits32.c", "-o", tmp_path / "bits32"],
                           capture_output=True, text=True, check=False)
    if build.returncode:
        pytest.skip("no 32-bit compiler (gcc -m32, Debian gcc-multilib)")
    one = victim("bits32", binary=tmp_path / "bits32")
    one.stop()
    regions = check(pidmem, one.pid)
    assert all(number(region["end"]) <= 1 << 32 for region in regions)


def test_self(pidmem):
    paths = {region["path"] for region in listed(pidmem, "self")}
    assert "[stack]" in paths and any("pidmem" in path for path in paths)


def test_own_process_as_ordinary_user(pidmem, victim, as_user):
    one = victim("plain", user=as_user)
    one.stop()
    assert len(listed(pidmem, one.pid, user=as_user)) == len(oracle.regions(one.pid))


def test_columns(pidmem, victim):
    one = victim("plain")
    one.stop()
    regions = oracle.smaps(one.pid)
    rows = pidmem("maps", "-o", "perms,name", one.pid).text.splitlines()
    assert len(rows) - len(regions) in (0, 1), "one heading at most"
    for row, region in zip(rows[len(rows) - len(regions):], regions):
        assert row.split(None, 1) == [region.perms] + ([region.path.decode()] if region.path else [])
    pidmem.fails("maps", "-o", "perms,nonsense", one.pid)
    pidmem.fails("maps", "-o", "", one.pid)


def test_text_is_the_same_in_a_pipe_and_on_no_terminal(pidmem, victim):
    """No escape sequences unless asked for."""
    one = victim("plain")
    one.stop()
    plain = pidmem("maps", one.pid)
    assert b"\x1b" not in plain.out
    assert pidmem("maps", "--color=never", one.pid).out == plain.out
    coloured = pidmem("maps", "--color=always", one.pid)
    assert re.sub(rb"\x1b\[[0-9;]*m", b"", coloured.out) == plain.out
    assert b"\x1b" not in pidmem("maps", one.pid, env={"NO_COLOR": "1"}).out


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_as_pmap_does_in_any_locale(pidmem, victim, tmp_path, locale):
    if not shutil.which("pmap"):
        pytest.skip("pmap is not installed (Debian procps)")
    odd = [*ODD, "\u202e".encode(), b"\xc2\x85next line", b"\xed\xa0\x80", b"\xf4\x90\x80\x80 \xc0\xaf", "日本".encode()]
    paths = [os.fsencode(tmp_path) + b"/" + name for name in odd]
    for path in paths:
        with open(path, "wb") as file:
            file.write(b"the content")
    one = victim("mapfiles", *paths)
    one.stop()
    theirs = subprocess.run(["pmap", "-x", str(one.pid)], capture_output=True, check=True,
                            env={**os.environ, "LC_ALL": locale}).stdout
    assert pidmem("maps", "-x", one.pid, env={"LC_ALL": locale}).out == theirs


def strips(pidmem, pid, columns="strip,start"):
    rows = (line.split() for line in pidmem("maps", "-o", columns, pid).text.splitlines()[1:])
    return {int(row[1], 16): row[0] for row in rows}


def test_strip_alone_is_the_same_picture(pidmem, victim):
    one = victim("guard")
    one.stop()
    drawn = strips(pidmem, one.pid)
    assert drawn[one.region] == "g######gg######g"
    assert drawn == {start: strip for start, strip in strips(pidmem, one.pid, "strip,start,rss,swap").items()}


def test_strip_of_nothing_but_guard_pages(pidmem, victim, tmp_path):
    one = victim("layout", tmp_path / "file")
    if one.ask("guard 0 64") != "ok":
        pytest.skip("no guard pages on this kernel (Linux 6.13)")
    assert strips(pidmem, one.pid)[one.window] == "g" * 16


def test_rows_end_without_blanks_and_columns_stand_in_line(pidmem, victim):
    one = victim("plain")
    one.stop()
    for columns in ([], ["-o", "range,perms,kind,name"], ["-o", "name,perms"]):
        lines = pidmem("maps", *columns, one.pid).text.splitlines()
        assert lines == [line.rstrip() for line in lines]
    lines = pidmem("maps", "-o", "range,perms", one.pid).text.splitlines()
    assert {len(line) for line in lines} == {len(lines[0])}, "also with [vsyscall]"


def test_columns_behind_a_name_that_is_not_ascii(pidmem, victim, user_dir):
    path = str(user_dir / "üïö")
    assert len(path) < 32, "the column is wide enough"
    with open(path, "wb") as file:
        file.write(b"the content")
    one = victim("mapfiles", path)
    line = next(line for line in pidmem("maps", "-o", "path,perms", one.pid).text.splitlines() if path in line)
    assert line == path.ljust(32) + "  r--p"


def test_name_that_turns_the_line(pidmem, victim, tmp_path):
    odd = "a\u200eb\u200fc\u202ad\u202ee\u2066f\u2069g\u2028h\u2029i"
    (tmp_path / odd).write_bytes(b"the content")
    one = victim("mapfiles", tmp_path / odd)
    text = pidmem("maps", one.pid).text
    assert not set(odd[1::2]) & set(text) and r"e\xe2\x81\xa6f" in text
    assert any(region["path"].endswith(odd) for region in listed(pidmem, one.pid))


def test_name_of_the_process_that_is_not_utf8(pidmem, victim, tmp_path):
    binary = os.fsencode(tmp_path) + b"/n\xffme"
    shutil.copy(TARGETS / "plain", binary)
    one = victim("plain", binary=binary)
    for args in (["maps", one.pid], ["why", one.pid], ["dump", "-o", "/dev/null", one.pid],
                 ["read", one.pid, f"{one.bytes:x}"]):
        report = pidmem(*args, "-j").json
        assert (report["name"], report["name_hex"]) == (r"n\xffme", b"n\xffme".hex()), args
