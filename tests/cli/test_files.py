# SPDX-License-Identifier: LGPL-2.1-or-later
"""--files: what a core leaves out of mapped files comes from these, if they are proved to be the same, and never else."""

import os
import shutil
import struct
import subprocess
import sys
import time

import pytest
from conftest import BLIND, PAGE, TARGETS, check_account
from core_maker import core, file_note, status_note
from dump_reader import Dump
from test_core_oracle import folder  # noqa: F401  pylint: disable=unused-import
from test_hostile_files import frugal
from test_sources import common, gdb_core, known, same_bytes

# Maps a file privately, twice, and one page more than it has; of a third mapping it writes to the second page.
MAPPER = """
import ctypes, mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(fd).st_size
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
places = [libc.mmap(None, size + 8192, prot, mmap.MAP_PRIVATE, fd, 0) for prot in (1, 1, 3)]
ctypes.memset(places[2] + 4096, 0x77, 4096)
print(*places, flush=True)
sys.stdin.read()
"""


def let_it_age(path):
    """What changed within this tick is not noted."""
    written = path.stat().st_ctime_ns
    while time.time_ns() < written + 100_000_000:
        pass


@pytest.fixture
def mapped(tmp_path):
    """A process that maps tmp_path/data: (pid, addresses, path)."""
    path = tmp_path / "data"
    path.write_bytes(os.urandom(4 * PAGE + 100))
    let_it_age(path)
    process = subprocess.Popen([sys.executable, "-c", MAPPER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    yield process.pid, [int(word) for word in process.stdout.readline().split()], path
    process.communicate()


@pytest.fixture
def saved(pidmem, mapped, tmp_path):
    pid, places, path = mapped
    assert pidmem("core", "-o", tmp_path / "core", pid).code == 0
    return tmp_path / "core", places, path


def test_own_core_and_the_process(pidmem, victim, folder):
    """With the files, the core has all of the process, but what is shared."""
    one = victim("secrets", folder / "file", well=False)
    one.stop()
    assert pidmem("core", "-o", folder / "core", one.pid).code == BLIND
    assert pidmem("dump", "--consistency=live", "-o", folder / "live", one.pid).code == BLIND
    without = pidmem("dump", "-j", "-o", folder / "without", folder / "core").json["account"]
    result = pidmem("dump", "-j", "--files", "-o", folder / "with", folder / "core")
    assert result.code == BLIND and (BLIND or result.err == ""), result
    account = check_account(result.json["account"])
    assert "from_files" not in without and account["from_files"] > 1 << 20
    assert account["read"] + account["zero"] == without["read"] + without["zero"] + account["from_files"]
    with Dump(folder / "live") as live, Dump(folder / "with") as full:
        assert full.check(result.json["account"]) == []
        both = sum(end - start for start, end in common(known(live), known(full)))
        assert same_bytes(live, full) == both > account["from_files"]
        shared = sum(int(region["end"], 16) - int(region["start"], 16)
                     for region in pidmem("maps", "-j", "-R", "shared", one.pid).json["regions"])
        assert sum(end - start for start, end in known(live)) - both <= shared + 4 * PAGE
    info = pidmem("info", "-j", "--files", folder / "core").json["account"]
    assert info["from_files"] == account["from_files"]


@pytest.mark.parametrize("how", [[], ["-z1"], ["convert"], ["convert", "--files"], ["-R", "heap"]])
def test_data_file(pidmem, mapped, tmp_path, how):
    """Any file that is as it was noted; and the writer's own pages are not those of the file."""
    pid, (one, other, written), path = mapped
    target = tmp_path / ("core.zst" if "-z1" in how else "core")
    assert pidmem("core", "-o", tmp_path / "core", *[word for word in how if word[0] != "-" or word in ("-z1", "-R")
                  if word != "convert"], pid).code == 0
    if "convert" in how:
        assert pidmem("core", *how[1:], "-z1", "-o", tmp_path / "again", target).code == 0
        target = tmp_path / "again.zst"
    data = path.read_bytes()
    if how != ["convert", "--files"]:
        assert pidmem("read", "-j", target, hex(one), "16").json["bytes"] == "??" * 16
    for place in (one, other):
        result = pidmem("read", "-j", "--files", target, hex(place), str(len(data) + PAGE))
        assert result.code == 0, result
        end = -len(data) % PAGE
        assert result.json["bytes"] == data.hex() + "00" * end + "??" * (PAGE - end)
        if how != ["convert", "--files"]:
            assert result.json["account"]["from_files"] == len(data) + end
        assert [hole["why"] for hole in result.json["holes"]] == ["past-eof"]
    own = pidmem("read", "-j", "--files", target, hex(written), str(2 * PAGE)).json["bytes"]
    assert own == (data[:PAGE].hex() + "77" * PAGE if "-R" not in how else "??" * 2 * PAGE)


def test_pages_of_its_own_are_never_those_of_the_file(pidmem, mapped, tmp_path):
    """Left out by the filter: what was in them is not known."""
    pid, (one, _, written), path = mapped
    assert pidmem("core", "--filter=0", "-o", tmp_path / "core", pid).code == 0
    assert pidmem("read", "--raw", "--files", tmp_path / "core", hex(one), "64").out == path.read_bytes()[:64]
    assert pidmem("read", "-j", "--files", tmp_path / "core", hex(written), "64").json["bytes"] == "??" * 64


def change(path):
    """Same size, and the time of its last change put back."""
    status = path.stat()
    with open(path, "r+b") as file:
        file.seek(5000)
        file.write(b"x")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replace(path):
    shutil.copy2(path, path.with_name("other"))
    path.with_name("other").rename(path)


def put_fifo(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("how,why", [(change, "the file has changed"), (replace, "the file has changed, or is another"),
                                     (os.unlink, "No such file"), (put_fifo, "not a regular file")])
def test_other_data_file(pidmem, saved, how, why):
    """It stays missing, and that is said once."""
    target, (one, other, _), path = saved
    how(path)
    for command in (["read", "-j", "--files", target, hex(one), "64"], ["read", "-j", "--files", target, hex(other), "64"]):
        result = pidmem(*command)
        assert result.code == 0 and result.json["bytes"] == "??" * 64, result
        assert "from_files" not in result.json["account"]
        told = [line for line in result.err.splitlines() if str(path) in line]
        assert len(told) == 1 and why in told[0], result
    assert pidmem("read", "-q", "--files", target, hex(one), "64").err == ""


def test_changed_while_it_is_read(pidmem, tmp_path):
    """Nothing is taken of a file that is no longer what it was when it was looked at."""
    big = tmp_path / "big"
    big.write_bytes(os.urandom(1 << 20) * 40)
    let_it_age(big)
    process = subprocess.Popen([sys.executable, "-c", MAPPER, big], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    place = int(process.stdout.readline().split()[0])
    assert pidmem("core", "-o", tmp_path / "again", process.pid).code == 0
    process.communicate()
    reader = pidmem.start("read", "--files", tmp_path / "again", hex(place), str(40 << 20))
    reader.stdout.read(1000)
    change(big)
    out, err = reader.communicate(timeout=60)
    assert reader.returncode == 3 and b"could not be read" in err, err
    assert out.splitlines()[-3].endswith(b"|????????????????|"), out[-400:]


@pytest.fixture
def program(pidmem, victim, tmp_path):
    """A program of the tests, in a place of its own, that is mapped; its core; and where it is."""
    path = tmp_path / "program"
    shutil.copy(TARGETS / "plain", path)
    one = victim("plain", binary=path)
    assert pidmem("core", "-o", tmp_path / "core", one.pid).code == 0
    region = next(region for region in pidmem("maps", "-j", one.pid).json["regions"]
                  if region["path"] == str(path) and region["perms"] == "r-xp")
    text = pidmem("read", "--raw", one.pid, region["start"], str(PAGE)).out
    return tmp_path / "core", path, region["start"], text, one


def test_program_by_its_build_id(pidmem, program):
    """A copy of the file is another inode, and the same program."""
    target, path, start, text, _ = program
    replace(path)
    result = pidmem("read", "--raw", "--files", target, start, str(PAGE))
    assert result.code == 0 and result.out == text, result
    assert str(path) not in result.err


@pytest.mark.parametrize("other,why", [("guard", "it is another build"), ("strip", "by strip(1) perhaps"),
                                       ("text", "it is another build: its build-id is none"), (None, "No such file")])
def test_other_program(pidmem, program, other, why):
    target, path, start, _, _ = program
    new = path.with_name("new")
    if other == "strip":
        subprocess.run(["strip", "-o", new, path], check=True)
    elif other == "text":
        new.write_text("text" * 10000)
    elif other:
        shutil.copy(TARGETS / other, new)
    if other:
        new.rename(path)
    else:
        path.unlink()
    result = pidmem("read", "-j", "--files", target, start, "64")
    assert result.json["bytes"] == "??" * 64
    told = [line for line in result.err.splitlines() if str(path) in line]
    assert len(told) == 1 and why in told[0], result


def test_core_of_gdb(pidmem, program, folder):
    """What is not writable in programs and libraries, and nothing else."""
    _, path, start, text, one = program
    one.stop()
    target = gdb_core(one.pid, folder)
    assert pidmem("read", "-j", target, start, "16").json["bytes"] == "??" * 16
    assert pidmem("read", "--raw", "--files", target, start, str(PAGE)).out == text
    result = pidmem("dump", "-j", "--files", "-o", folder / "with", target)
    assert check_account(result.json["account"])["from_files"] > 1 << 20
    assert pidmem("dump", "--consistency=live", "-o", folder / "live", one.pid).code == 0
    with Dump(folder / "live") as live, Dump(folder / "with") as full:
        assert same_bytes(live, full, lossy=True) > 1 << 20
    replace(path)
    assert pidmem("read", "--raw", "--files", target, start, str(PAGE)).out == text
    one.resume()


def test_only_what_is_not_writable(pidmem, program, folder):
    """A core that leaves out all but the first page: of writable parts nobody knows what was in them."""
    _, path, _, _, one = program
    files = [(int(region["start"], 16), int(region["end"], 16), int(region["offset"], 16), str(path).encode())
             for region in pidmem("maps", "-j", one.pid).json["regions"] if region["path"] == str(path)]
    live = {region["start"]: region["perms"] for region in pidmem("maps", "-j", one.pid).json["regions"]}
    first = path.read_bytes()[:PAGE]
    (folder / "made").write_bytes(core([(files[0][0], 4, first, files[0][1] - files[0][0])],
                                       status_note(one.pid) + file_note(files)))
    had = {}
    for start, end, *_ in files:
        known_bytes = pidmem("read", "-j", "--files", folder / "made", hex(start), str(end - start)).json["bytes"]
        had[live[hex(start)]] = "??" not in known_bytes
        if "??" not in known_bytes:
            assert known_bytes == pidmem("read", "-j", one.pid, hex(start), str(end - start)).json["bytes"]
    assert had["r-xp"] and not had["rw-p"]
    # RELRO: read-only now, but written to by the dynamic linker.
    relro = files[-2] if live[hex(files[-1][0])] == "rw-p" else files[-1]
    assert "??" in pidmem("read", "-j", "--files", folder / "made", hex(relro[0]), "16").json["bytes"]


def test_commands(pidmem, program):
    target, _, start, text, one = program
    needle = text[100:130].hex()
    assert pidmem("find", "-x", needle, target).code == 1
    assert pidmem("find", "--files", "-x", needle, target).code == 0
    assert "could not be compared" in pidmem("diff", target, one.pid).text.splitlines()[-1]
    with_files = pidmem("diff", "-j", "--files", target, one.pid).text.splitlines()[-1]
    assert '"from_files"' in with_files
    assert pidmem("report", "--files", "-o", target.with_name("page.html"), target).code == 0
    pidmem.fails("read", "--files", one.pid, start)
    pidmem.fails("maps", "--files", target)


def test_tables_of_lies(pidmem, tmp_path):
    """Nothing but the table suffers; and a core cannot make anybody wait for a pipe, or read a device."""
    os.mkfifo(tmp_path / "pipe")
    files = [(0x10000, 0x20000, 0, str(tmp_path / "pipe").encode()), (0x30000, 0x40000, 0, b"/dev/zero"),
             (0x50000, 0x60000, 0, b"/proc/self/status"), (0x70000, 0x80000, 0, b"relative")]
    path = tmp_path / "core"
    good = struct.pack("<4I", 1, 1, 1, 0) + bytes(48) + struct.pack("<2Q2I", 0x10000, 0x1000, 0, 0)
    for table, works in [(good, True), (good[:-8] + struct.pack("<2I", 7, 0), False), (good + b"x", False),
                         (struct.pack("<4I", 1, 0xFFFFFFFF, 0xFFFFFFFF, 0), False),
                         (good[:64] + struct.pack("<2Q2I", 1 << 63, 1 << 63, 0, 0), False)]:
        path.write_bytes(with_origins(core([(0x90000, 6, b"x" * PAGE, PAGE)], status_note(1) + file_note(files)), table))
        result = pidmem("info", "-j", "--files", path)
        assert result.code == 0, result
        assert any("makes no sense" in remark for remark in result.json["remarks"]) != works, result.json["remarks"]
        assert "from_files" not in result.json["account"]


def test_more_files_than_there_can_be(tmp_path):
    """No more than a second, and 64 MiB."""
    count = 60000
    starts = [0x100000 + i * 0x2000 for i in range(count)]
    files = [(start, start + 0x1000, 0, b"/%d" % start) for start in starts]
    table = (struct.pack("<4I", 1, 1, count, 0) + bytes(48) +
             b"".join(struct.pack("<2Q2I", start, 0x1000, 0, 0) for start in starts))
    path = tmp_path / "core"
    path.write_bytes(with_origins(core([(0x1000, 6, b"x" * PAGE, PAGE)], status_note(1) + file_note(files)), table))
    code, _, err = frugal("maps", path)
    assert code == 0, err
    code, _, err = frugal("info", "--files", path)
    assert code == 0 and err.splitlines()[-1].endswith("the same of 16377 more files"), err


def with_origins(data, table):
    """A made core with the table, and one more header for it: both behind everything."""
    (count,) = struct.unpack_from("<H", data, 56)
    headers = data[64:64 + 56 * count] + struct.pack("<IIQQQQQQ", 0x6F504D53, 0, len(data), 0, 0, len(table), 0, 4)
    body = bytearray((data + table).ljust(len(data + table) + 7 & ~7, b"\0") + headers)
    struct.pack_into("<Q", body, 32, len(body) - len(headers))
    struct.pack_into("<H", body, 56, count + 1)
    return bytes(body)
