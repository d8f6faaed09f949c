# SPDX-License-Identifier: LGPL-2.1-or-later
"""The file and the index that `dump` writes, whatever the memory: names, holes, streams, and what it costs."""

import os
import subprocess
import sys

import oracle
import pytest
from conftest import BLIND, PAGE, pattern
from dump_reader import Dump
from dumping import take

MIB = 1 << 20


@pytest.mark.parametrize("name,args", [("leave", [128]), ("reserve", []), ("untouched", []), ("many", [65000])])
@pytest.mark.parametrize("consistency,limit", [("live", 32 * 1024), ("snapshot", 64 * 1024)])
def test_own_memory_stays_small(pidmem, victim, tmp_path, name, args, consistency, limit):
    """In KiB, whatever the target is; for a snapshot regions are listed twice, with their flags. Measured by a small parent: the peak of a child begins with its own."""
    if os.environ.get("PIDMEM_SANITIZE"):
        pytest.skip("a sanitizer's own memory would be measured")
    one = victim(name, *args)
    peak = tmp_path / "peak"
    script = ("import resource,subprocess,sys\n"
              "code = subprocess.run(sys.argv[2:]).returncode\n"
              "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=open(sys.argv[1], 'w'))\n"
              "sys.exit(code)")
    result = pidmem("dump", f"--consistency={consistency}", "-o", "/dev/null", one.pid,
                    before=[sys.executable, "-c", script, peak])
    assert result.code in (0, BLIND), result
    assert int(peak.read_text()) <= limit
    result = pidmem("dump", f"--consistency={consistency}", "-o", tmp_path / "d", "-R", "anon", one.pid,
                    before=[sys.executable, "-c", script, peak])
    assert result.code == 0, result
    assert int(peak.read_text()) <= limit, "with an index"


def test_two_runs_are_identical(pidmem, victim, tmp_path):
    one = victim("plain")
    one.stop()
    _, first = take(pidmem, one.pid, tmp_path, name="first")
    _, second = take(pidmem, one.pid, tmp_path, name="second")
    assert first.lines == second.lines
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_self(pidmem, tmp_path):
    _, dump = take(pidmem, "self", tmp_path)
    with dump:
        assert any("pidmem" in record.path for record in dump.records)
        assert any(record.path == "[stack]" for record in dump.records)


def test_parent_shell_as_ordinary_user(public_build, user_dir, as_user):
    """`pidmem dump $$`, as people write it."""
    binary, _, env = public_build
    drop = {} if as_user is None else {"user": as_user, "group": as_user, "extra_groups": []}
    run = subprocess.run(["bash", "-c", f'secret=in-the-shell-$((40 + 2)); "{binary}" dump -o shell $$; exit $?'],
                         cwd=user_dir, env={**os.environ, **env}, capture_output=True, text=True, check=False, **drop)
    assert run.returncode == 0, run
    with Dump(user_dir / "shell"), open(user_dir / "shell", "rb") as file:
        assert b"in-the-shell-42" in file.read()


def test_default_name(pidmem, victim, tmp_path):
    one = victim("plain")
    result = pidmem("dump", one.pid, cwd=tmp_path)
    assert result.code == 0, result
    assert sorted(os.listdir(tmp_path)) == [f"{one.pid}.mem", f"{one.pid}.mem.index"]
    assert f"{one.pid}.mem" in result.text


def test_zeros_are_holes_on_disk(pidmem, victim, tmp_path):
    """Short zero ranges keep their place in the file but take none on the disk."""
    one = victim("reserve")
    report, dump = take(pidmem, one.pid, tmp_path, "-R", f"{one.region:x}-{one.region + 200 * PAGE:x}")
    with dump:
        record = dump.find(one.region)
        assert record.offset is not None and dump.find(one.region + 199 * PAGE).offset is not None
    assert report["size"]["on_disk"] <= 16 * PAGE < report["size"]["apparent"] == 200 * PAGE


def test_a_mebibyte_of_zeros_leaves_the_file(pidmem, victim, tmp_path):
    one = victim("untouched")
    for size, left_out in ((MIB, True), (MIB - PAGE, False)):
        chosen = f"{one.private:x}-{one.private + size:x}"
        report, dump = take(pidmem, one.pid, tmp_path, "--force", "-R", chosen, name=f"d{size}")
        with dump:
            record = dump.find(one.private)
            assert (record.zero, record.size) == (left_out, size)
        assert report["account"]["zero"] == size


def test_region_filter_is_accounted(pidmem, victim, tmp_path):
    one = victim("plain")
    report, dump = take(pidmem, one.pid, tmp_path, "-R", "heap")
    with dump:
        heap = next(r for r in oracle.regions(one.pid) if r.path == b"[heap]")
        kept = [record for record in dump.records if record.why != "filter"]
        assert (kept[0].start, kept[-1].end) == (heap.start, heap.end)
    account = report["account"]
    assert account["read"] + account["zero"] == heap.size
    assert account["total"] == sum(region.size for region in oracle.regions(one.pid))


def test_force_and_existing_files(pidmem, victim, tmp_path):
    one = victim("plain")
    (tmp_path / "d").write_bytes(b"old")
    (tmp_path / "d.index").write_bytes(b"old index")
    pidmem.fails("dump", "-o", tmp_path / "d", one.pid)
    assert (tmp_path / "d").read_bytes() == b"old"
    assert (tmp_path / "d.index").read_bytes() == b"old index"
    _, dump = take(pidmem, one.pid, tmp_path, "--force", name="d")
    with dump:
        assert dump.read(one.bytes, 16) == pattern(1, 1)[:16]


def test_an_existing_index_alone_is_kept(pidmem, victim, tmp_path):
    one = victim("plain")
    (tmp_path / "d.index").write_bytes(b"old index")
    pidmem.fails("dump", "-o", tmp_path / "d", one.pid)
    assert os.listdir(tmp_path) == ["d.index"]
    assert (tmp_path / "d.index").read_bytes() == b"old index"


def test_split(pidmem, victim, tmp_path):
    one = victim("plain")
    one.stop()
    folder = tmp_path / "parts"
    result = pidmem("dump", "-j", "--consistency=live", "--split", folder, one.pid)
    assert result.code == 0, result
    dump = Dump("/nonexistent", index=folder / "index")
    position = 0
    known = 0
    with oracle.Memory(one.pid) as memory:
        for record in dump.records:
            assert record.start >= position
            position = record.end
            if record.offset is None:
                known += record.size if record.zero else 0
                continue
            known += record.size
            part = folder / record.line["file"]
            assert part.stat().st_mode & 0o777 == 0o600
            with open(part, "rb") as file:
                data = os.pread(file.fileno(), record.size, record.offset)
            assert data == memory.read(record.start, record.size), record
    account = result.json["account"]
    assert known == account["read"] + account["zero"]
    files = {record.line["file"] for record in dump.records if record.offset is not None}
    assert set(os.listdir(folder)) == files | {"index"}


def test_stream_to_a_device_has_no_index(pidmem, victim):
    one = victim("plain")
    result = pidmem("dump", "-j", "-o", "/dev/null", one.pid)
    assert result.code == 0, result
    assert not os.path.exists("/dev/null.index")


def test_stream_to_a_pipe(pidmem, victim, tmp_path):
    """The bytes of the pipe are those of the file."""
    one = victim("plain")
    one.stop()
    _, dump = take(pidmem, one.pid, tmp_path, name="file")
    dump.close()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = pidmem.start("dump", "--consistency=live", "-o", fifo, one.pid)
    with open(fifo, "rb") as stream:
        data = stream.read()
    process.communicate()
    assert process.returncode == 0
    assert data == (tmp_path / "file").read_bytes()
    assert fifo.is_fifo() and not (tmp_path / "fifo.index").exists()
