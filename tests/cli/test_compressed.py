# SPDX-License-Identifier: LGPL-2.1-or-later
"""`-z`: what zstd(1) makes of it is what is written without it, and each frame can be read alone."""

import json
import os
import signal
import stat
import subprocess
import sys

import pytest
from conftest import PAGE, PIDMEM, can, pattern
from core_reader import Core
from core_saving import check_core, stops
from dump_reader import Dump
from dumping import take
from freezing import SANITIZED
from middle import SIZE, catch, check_failed
from zstd_reader import Zstd, decompress

FRAME = 2 << 20
RECORD = 4096  # more than pidmem's own note at the end, which tells of times


@pytest.fixture
def large(victim):
    """More than the frames that are compressed at a time; it sleeps, and nothing in it changes any more."""
    one = victim("leave", 40)
    stops(one.pid)
    return one


def unpack(path):
    """The compressed file as one that the readers take."""
    plain = path.with_suffix(".plain")
    plain.write_bytes(Zstd(path).content())
    plain.chmod(0o600)
    return plain


@pytest.mark.parametrize("level", ["", "1", "9", "19"])
def test_dump_is_the_same(pidmem, large, tmp_path, level):
    take(pidmem, large.pid, tmp_path)[1].close()
    result = pidmem("dump", f"-z{level}", "-j", "--consistency=live", "-o", "packed", large.pid, cwd=tmp_path)
    assert result.code == 0, result
    packed = Zstd(tmp_path / "packed.zst")
    assert packed.content() == (tmp_path / "dump").read_bytes()
    index = [json.loads(line) for line in (tmp_path / "packed.zst.index").read_text().splitlines()]
    assert all(line.pop("compression", None) == ("zstd" if "offset" in line else None) for line in index)
    assert index == [json.loads(line) for line in (tmp_path / "dump.index").read_text().splitlines()]
    report = result.json
    assert report["compression"] == "zstd" and report["output"] == "packed.zst", report
    assert report["size"]["apparent"] == len(packed.data) and report["size"]["content"] == packed.size, report
    assert len(packed.data) < packed.size / 10


@pytest.mark.parametrize("way", ["live", "stopped", "clone", "precopy"])
def test_core_is_the_same(pidmem, large, tmp_path, way):
    args = [f"--consistency={way}"] if way in ("live", "stopped") else [f"--engine={can(way)}"]
    for extra in (["-o", "plain"], ["-z1", "-o", "packed"]):
        result = pidmem("core", *args, *extra, large.pid, cwd=tmp_path)
        assert result.code == 0, result
    assert sorted(os.listdir(tmp_path)) == ["packed.zst", "plain"]
    plain, unpacked = tmp_path / "plain", unpack(tmp_path / "packed.zst")
    with Core(unpacked) as core, Core(plain) as other:
        assert len(core.segments) == len(other.segments)
        assert core.read(large.region, large.size) == other.read(large.region, large.size)
    if way == "live":  # nothing wakes it: not a byte of it changes
        assert unpacked.read_bytes()[:-RECORD] == plain.read_bytes()[:-RECORD]
    else:
        check_core(unpacked, large)


def test_frames_can_be_read_alone(pidmem, large, tmp_path):
    assert pidmem("core", "-z1", "-o", "c", large.pid, cwd=tmp_path).code == 0
    packed = Zstd(tmp_path / "c.zst")
    whole = packed.content()
    assert packed.size == len(whole) and len(packed.frames) == -(-packed.size // FRAME) > 16
    for i in (0, 7, len(packed.frames) - 1):
        _, _, position, size = packed.frames[i]
        assert packed.frame(i) == whole[position:position + size] and position == i * FRAME


ZEROS = """
import mmap, sys
room = mmap.mmap(-1, 2 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
room[0] = room[(1 << 30) + 5] = room[-1] = 1
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("stream", [False, True])
def test_zeros_cost_next_to_nothing(pidmem, victim, tmp_path, stream):
    """2 GiB of which three pages were written: in a core all of it stands in the file."""
    one = victim("python", "-c", ZEROS, binary=sys.executable, well=False)
    path = tmp_path / "c.zst"
    if stream:
        with open(path, "wb") as out:
            result = pidmem("core", "-z1", "-o", "-", one.pid, stdout=out)
    else:
        result = pidmem("core", "-z1", "-o", path, one.pid)
    assert result.code == 0, result
    packed = Zstd(path)
    assert packed.size > 2 << 30
    assert len(packed.data) < 8 << 20
    lengths = [length for _, length, _, _ in packed.frames]
    most = max(lengths, key=lengths.count)
    assert lengths.count(most) > 1000 and most < 200
    assert packed.frame(lengths.index(most)) == bytes(FRAME)


def test_standard_output(pidmem, plain, tmp_path):
    result = pidmem("core", "-z", "-j", "-o", "-", plain.pid, cwd=tmp_path)
    assert result.code == 0, result
    (tmp_path / "c.zst").write_bytes(result.out)
    report = json.loads(result.err)
    assert report["size"] == {"apparent": len(result.out), "on_disk": 0, "content": Zstd(tmp_path / "c.zst").size}
    check_core(unpack(tmp_path / "c.zst"), plain)


def test_named_pipe(pidmem, plain, tmp_path):
    """Its name stays as it is."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = pidmem.start("core", "-z", "-o", fifo, plain.pid)
    data = fifo.read_bytes()
    assert process.wait(20) == 0, process.communicate()
    (tmp_path / "c.zst").write_bytes(data)
    check_core(unpack(tmp_path / "c.zst"), plain)


def test_names(pidmem, plain, tmp_path):
    for args in ([], ["-o", "a"], ["-o", "b.zst"], ["-o", ".zst"]):
        assert pidmem("core", "-z", *args, plain.pid, cwd=tmp_path).code == 0
    for args in ([], ["-o", "d"]):
        assert pidmem("dump", "--zstd=2", *args, plain.pid, cwd=tmp_path).code == 0
    names = {f"core.{plain.pid}.zst", "a.zst", "b.zst", ".zst.zst", "d.zst", "d.zst.index", f"{plain.pid}.mem.zst",
             f"{plain.pid}.mem.zst.index"}
    assert set(os.listdir(tmp_path)) == names
    assert all(stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600 for name in names)


def test_several(pidmem, victim, tmp_path):
    ones = [victim("plain") for _ in range(2)]
    assert pidmem("core", "-z", "-o", "c", *[one.pid for one in ones], cwd=tmp_path).code == 0
    for one in ones:
        check_core(unpack(tmp_path / f"c.{one.pid}.zst"), one)


def test_existing_file_is_kept(pidmem, plain, tmp_path):
    (tmp_path / "c.zst").write_bytes(b"precious")
    for command in ("core", "dump"):
        assert "c.zst exists" in pidmem.fails(command, "-z", "-o", "c", plain.pid, cwd=tmp_path).err
    assert (tmp_path / "c.zst").read_bytes() == b"precious"
    assert pidmem("core", "-z", "--force", "-o", "c", plain.pid, cwd=tmp_path).code == 0
    check_core(unpack(tmp_path / "c.zst"), plain)


def test_split(pidmem, plain, tmp_path):
    result = pidmem("dump", "-z", "-j", "--split", "parts", plain.pid, cwd=tmp_path)
    assert result.code == 0, result
    folder = tmp_path / "parts"
    with Dump("/nonexistent", index=folder / "index") as dump:
        record = dump.find(plain.bytes)
    content = {name: Zstd(folder / name) for name in os.listdir(folder) if name != "index"}
    assert all(name.endswith(".mem.zst") for name in content) and len(content) > 3
    at = record.offset + plain.bytes - record.start
    assert content[record.line["file"]].content()[at + 3 * PAGE:at + 4 * PAGE] == pattern(1, 1, first=3)
    size = result.json["size"]
    assert size["content"] == sum(one.size for one in content.values())
    assert size["apparent"] == sum(len(one.data) for one in content.values())


@pytest.mark.parametrize("argument", ["-z0", "-z20", "-z-1", "-zx", "-z1x", "--zstd=", "--zstd=+1", "-z 3"])
@pytest.mark.parametrize("command", ["core", "dump"])
def test_levels_that_are_wrong(pidmem, plain, tmp_path, command, argument):
    pidmem.fails(command, argument, plain.pid, cwd=tmp_path)
    assert os.listdir(tmp_path) == []


MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def peak(*args):
    """Peak memory of a command in MiB. Measured by a small process: at first it is that of its parent."""
    command = [sys.executable, "-c", MEASURE, PIDMEM, *map(str, args)]
    return int(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout) / 1024


@pytest.mark.skipif(SANITIZED, reason="a sanitizer has memory of its own")
@pytest.mark.parametrize("level,size", [("1", 160), ("9", 128), ("12", 48), ("19", 24)])
def test_memory_is_bounded(victim, tmp_path, level, size):
    """128 MiB at most, whatever the size of the target."""
    one = victim("noise", size)
    assert peak("core", f"-z{level}", "-o", tmp_path / "c", one.pid) < 128
    assert os.stat(tmp_path / "c.zst").st_size > size << 20


@pytest.mark.skipif(SANITIZED, reason="a sanitizer has memory of its own")
def test_memory_without_compression(victim, tmp_path):
    one = victim("noise", 128)
    assert peak("core", "-o", tmp_path / "c", one.pid) < 64


@pytest.mark.parametrize("command", ["core", "dump"])
def test_interrupt(pidmem, victim, tmp_path, command):
    one = victim("noise", SIZE)
    process = pidmem.start(command, "-z1", "-o", tmp_path / "c", one.pid)
    if not catch(process):
        pytest.skip("it was done before it could be caught")
    os.kill(process.pid, signal.SIGINT)
    os.kill(process.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=20)
    check_failed(process.returncode, out, err.decode())
    assert os.listdir(tmp_path) == []


def test_reader_that_goes(pidmem, victim, tmp_path):
    one = victim("noise", 32)
    process = pidmem.start("core", "-z1", "-o", "-", one.pid, cwd=tmp_path)
    assert process.stdout.read(4096)
    process.stdout.close()
    err = process.stderr.read().decode()
    assert process.wait(20) == 2 and "the reader of the pipe has gone" in err, err


def test_full_disk(pidmem, victim, tmp_path, need_root):
    one = victim("noise", 32)
    disk = tmp_path / "disk"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=16m none "$0" && cd "$0" && { "$@"; code=$?; ls -A . >"../left"; exit $code; }'
    for command in ("core", "dump"):
        result = pidmem.fails(command, "-z1", one.pid, before=["unshare", "--mount", "sh", "-c", script, disk])
        assert "space" in result.err, result
        assert (tmp_path / "left").read_text() == ""


def test_small_disk(pidmem, large, tmp_path, need_root):
    """There is room for what comes of it, but not for a copy of it all meanwhile."""
    (tmp_path / "disk").mkdir()
    script = 'mount -t tmpfs -o size=16m none "$0" && cd "$0" && { "$@"; code=$?; cp * ..; exit $code; }'
    for command in ("core", "dump"):
        result = pidmem(command, "-z", "-j", "--consistency=snapshot", "--max-pause=100000", "-o", "c", large.pid,
                        before=["unshare", "--mount", "sh", "-c", script, tmp_path / "disk"])
        assert result.code == 0 and result.json["engine"] == "clone" and "no room" in result.json["fallback"], result
        assert pattern(1, 27) in Zstd(tmp_path / "c.zst").content()


def test_one_processor(pidmem, plain, tmp_path):
    assert pidmem("core", "-z", "-o", "c", plain.pid, before=["taskset", "1"], cwd=tmp_path).code == 0
    check_core(unpack(tmp_path / "c.zst"), plain)


def test_empty_selection_of_zeros(pidmem, victim, tmp_path):
    """Of nothing at all there is a table without entries."""
    one = victim("untouched")
    assert pidmem("dump", "-z", "-R", f"{one.private:x}-{one.private + PAGE:x}", "-o", "d", one.pid, cwd=tmp_path).code == 0
    assert decompress((tmp_path / "d.zst").read_bytes()) == bytes(PAGE)


@pytest.mark.parametrize("args,name", [
    (["core", "-z1", "-o", "c"], "c.zst"), (["dump", "-z1", "-o", "d"], "d.zst"),
    (["dump", "-z1", "--split", "parts"], "parts")], ids=["core", "dump", "split"])
def test_pidmem_reads_it(pidmem, large, tmp_path, args, name):
    assert pidmem(*args, large.pid, cwd=tmp_path).code == 0
    for first in (0, 5000):
        result = pidmem("read", "--raw", tmp_path / name, hex(large.region + first * PAGE), 2 * PAGE)
        assert result.code == 0 and result.out == pattern(2, 27, first=first), result.err
    assert pidmem("core", "-z", "-o", tmp_path / "again", tmp_path / name).code == 0
    with Core(unpack(tmp_path / "again.zst")) as core:
        assert core.read(large.region + 77 * PAGE, PAGE) == pattern(1, 27, first=77)
