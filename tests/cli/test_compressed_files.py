# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cores compressed by zstd, as one frame, as several, with and without a table of them: read as the plain ones."""

import json
import os
import shutil
import struct
import subprocess

import pytest
from conftest import PAGE
from core_maker import core, status_note
from dump_reader import Dump
from test_hostile_files import frugal

if not shutil.which("zstd"):
    pytest.skip("zstd is not installed", allow_module_level=True)

SEEKABLE = 0x8F92EAB1


def zstd(data, *args):
    return subprocess.run(["zstd", "-q", "-c", *args], input=data, capture_output=True, check=True).stdout


def table(sizes, checksums=False):
    """The seek table of zstd's contrib/seekable_format."""
    entries = b"".join(struct.pack("<II", *size) + (bytes(4) if checksums else b"") for size in sizes)
    body = entries + struct.pack("<IBI", len(sizes), 0x80 if checksums else 0, SEEKABLE)
    return struct.pack("<II", 0x184D2A5E, len(body)) + body


def seekable(data, size, checksums=False):
    pieces = [data[at:at + size] for at in range(0, len(data), size)]
    frames = [zstd(piece) for piece in pieces]
    return b"".join(frames) + table([(len(frame), len(piece)) for frame, piece in zip(frames, pieces)], checksums)


def frames(data, size):
    return b"".join(zstd(data[at:at + size], f"--stream-size={min(size, len(data) - at)}")
                    for at in range(0, len(data), size))


@pytest.fixture(scope="module")
def content():
    """A core of some MiB, of which half can be compressed."""
    pages = b"".join(os.urandom(PAGE) + bytes([i & 255]) * PAGE for i in range(700))
    return core([(0x10000, 6, pages, len(pages) + PAGE), (0x10000000, 4, b"end of it", PAGE)], status_note(7))


FORMS = {
    "one frame": lambda data: zstd(data, f"--stream-size={len(data)}"),
    "of unknown size": zstd,
    "frames of unknown size": lambda data: b"".join(zstd(data[at:at + 400000]) for at in range(0, len(data), 400000)),
    "frames of all kinds": lambda data: zstd(data[:99]) + frames(data[99:500000], 100000) + zstd(data[500000:]),
    "without checksum": lambda data: zstd(data, "--no-check", "--stream-size=%d" % len(data)),
    "two frames": lambda data: frames(data, len(data) * 2 // 3),
    "many frames": lambda data: frames(data, 300000),
    "seekable": lambda data: seekable(data, 1 << 18),
    "seekable with checksums": lambda data: seekable(data, 1 << 18, True),
    "after a skippable frame": lambda data: struct.pack("<II", 0x184D2A53, 5) + b"hello" + zstd(data),
    "by level 19": lambda data: zstd(data, "-19", f"--stream-size={len(data)}"),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(pidmem, tmp_path, content, form):
    (tmp_path / "plain").write_bytes(content)
    (tmp_path / "core.zst").write_bytes(FORMS[form](content))
    for name in ("plain", "core.zst"):
        assert pidmem("dump", "-o", tmp_path / f"{name}.raw", tmp_path / name).code == 0
        assert pidmem("core", "-o", tmp_path / f"{name}.core", tmp_path / name).code == 0
    for suffix in (".raw", ".raw.index", ".core"):
        assert (tmp_path / f"core.zst{suffix}").read_bytes() == (tmp_path / f"plain{suffix}").read_bytes()
    for address in ("10000", "10001", "450000", "300123", "10000000", "10005"):  # forwards and backwards
        one, other = (pidmem("read", "--raw", tmp_path / name, address, "9" if address == "10000000" else "5000").out
                      for name in ("plain", "core.zst"))
        assert one == other and one
    info = pidmem("info", "-j", tmp_path / "core.zst").json
    assert info["file"]["compression"] == "zstd" and info["file"]["size"]["apparent"] == len(content)


@pytest.mark.parametrize("form", ["one frame", "of unknown size", "many frames", "seekable"])
def test_cut(pidmem, tmp_path, content, form):
    data = FORMS[form](content)
    (tmp_path / "plain").write_bytes(content)
    assert pidmem("dump", "-o", tmp_path / "plain.raw", tmp_path / "plain").code == 0
    for length in (len(data) // 3, len(data) // 2, len(data) * 9 // 10):
        (tmp_path / "cut.zst").write_bytes(data[:length])
        info = pidmem("info", "-j", tmp_path / "cut.zst")
        assert info.code == 3 and info.json["file"]["truncated"], info
        result = pidmem("dump", "--force", "-j", "-o", tmp_path / "cut.raw", tmp_path / "cut.zst")
        assert result.code == 3 and result.json["account"] == info.json["account"] or result.json["account"]["zero"]
        with Dump(tmp_path / "plain.raw") as whole, Dump(tmp_path / "cut.raw") as dump:
            assert dump.check(result.json["account"]) == []
            known = [record for record in dump.records if record.offset is not None]
            assert known and all(dump.read(r.start, r.size) == whole.read(r.start, r.size) for r in known)


def test_cost_is_told(pidmem, tmp_path):
    """Of one large frame; a table of small ones is no reason for a remark."""
    big = core([(0x10000, 6, bytes(100 << 20), 100 << 20)], status_note(7))
    for name, data, told in [("one.zst", zstd(big), True), ("many.zst", seekable(big, 8 << 20), False)]:
        (tmp_path / name).write_bytes(data)
        remarks = pidmem("info", "-j", tmp_path / name).json["remarks"]
        assert any("takes the time" in remark for remark in remarks) == told, remarks


LIES = {
    "frames past the end": table([(1 << 31, 1 << 20)]),
    "frames of nothing": table([(0, 1 << 20)] * 1000),
    "more entries than the file has": struct.pack("<II", 0x184D2A5E, 9) + struct.pack("<IBI", 0x7FFFFFFF, 0, SEEKABLE),
    "another size than the table has": struct.pack("<II", 0x184D2A5E, 5) + struct.pack("<IBI", 0, 0, SEEKABLE),
    "reserved bits": struct.pack("<II", 0x184D2A5E, 9) + struct.pack("<IBI", 0, 0x10, SEEKABLE),
    "no frame behind the first": b"garbage that is no frame",
}


@pytest.mark.parametrize("what", LIES)
def test_lies(tmp_path, content, what):
    path = tmp_path / "core.zst"
    path.write_bytes(zstd(content[:100000]) + LIES[what])
    code, out, err = frugal("maps", path)
    assert (code, out) == (2, b"") and "cannot be true" in err, err


def test_frames_that_lie(tmp_path, content):
    """Of their size, in the table: what is not there is told as missing, what is too much is not looked at."""
    frame = zstd(content)
    for told, code in [(len(content) * 2, 0), (len(content) - 5000, 3), (0, 2)]:
        path = tmp_path / "core.zst"
        path.write_bytes(frame + table([(len(frame), told)]))
        status, _, err = frugal("dump", "--force", "-o", tmp_path / "raw", path)
        assert status == code, err


def test_frame_with_more_than_told(pidmem, tmp_path):
    """What is too much in the first one does not take the place of the second one."""
    data = core([(0x10000, 6, b"a" * 50000 + b"b" * 50000, 100000)], status_note(7))
    at = data.index(b"b")
    one, other = zstd(data[:at] + b"x" * 90000), zstd(data[at:])
    path = tmp_path / "core.zst"
    path.write_bytes(one + other + table([(len(one), at), (len(other), len(data) - at)]))
    assert pidmem("read", "--raw", path, "10000", "100000").out == b"a" * 50000 + b"b" * 50000


def test_bomb(tmp_path):
    """Frames of zeros of gigabytes, and windows of gigabytes."""
    path = tmp_path / "core.zst"
    path.write_bytes(zstd(bytes(256 << 20)) * 4)
    code, _, err = frugal("maps", path)
    assert code == 2 and "no ELF file" in err, err
    head = bytes([0x28, 0xB5, 0x2F, 0xFD, 0x00, 31 - 10 << 3]) + bytes(100)  # a window of 2 GiB
    path.write_bytes(head)
    code, _, err = frugal("maps", path)
    assert code == 2 and "cannot be decompressed" in err, err


def test_json_is_whole(tmp_path, content):
    path = tmp_path / "core.zst"
    path.write_bytes(seekable(content, 1 << 20))
    code, out, _ = frugal("info", "-j", path)
    assert code == 0 and json.loads(out)["account"]["read"] > 0
