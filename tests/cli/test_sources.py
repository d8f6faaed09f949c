# SPDX-License-Identifier: LGPL-2.1-or-later
"""One process that stands still, and four files of it: a core of ours, of gdb, of the kernel, and a raw dump. Wherever a
file has bytes, they are those of the process; and our own files have all of them, with the names of the regions."""

import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess

import pytest
from conftest import PAGE, check_account
from core_reader import Core
from dump_reader import Dump
from engines import given
from freezing import build32
from programs import PYTHON, Program
from test_core_oracle import folder, kernel_cores, surroundings  # noqa: F401  pylint: disable=unused-import

SECRETS = 8


def dump_of(pidmem, target, folder, name, *args, code=(0,)):
    """A raw dump of a target: the report, and the open dump."""
    result = pidmem("dump", "-j", *args, "-o", folder / name, target)
    assert result.code in code, result
    dump = Dump(folder / name)
    assert dump.check(result.json["account"]) == []
    check_account(result.json["account"])
    return result.json, dump


def known(dump):
    """(start, end) of all ranges with bytes, those that touch taken together."""
    ranges = []
    for record in dump.records:
        if record.offset is None and not record.zero:
            continue
        if ranges and ranges[-1][1] == record.start:
            ranges[-1] = (ranges[-1][0], record.end)
        else:
            ranges.append((record.start, record.end))
    return ranges


def common(one, other):
    """What two lists of ranges have in common."""
    return [(max(a, c), min(b, d)) for a, b in one for c, d in other if max(a, c) < min(b, d)]


def same_bytes(one, other, lossy=False):
    """How many bytes both have; those are the same. Where gdb cannot read it writes zeros: `lossy` are the other's."""
    total = 0
    for start, end in common(known(one), known(other)):
        for at in range(start, end, 1 << 20):
            size = min(1 << 20, end - at)
            if one.read(at, size) != other.read(at, size):
                pages = [page for page in range(at, at + size, PAGE)
                         if one.read(page, min(PAGE, at + size - page)) != other.read(page, min(PAGE, at + size - page))]
                if not lossy or any(other.read(page, PAGE).strip(b"\0") for page in pages):
                    pytest.fail(f"{one.path} and {other.path}: {[hex(page) for page in pages[:8]]} differ")
            total += size
    return total


def gdb_core(pid, folder):
    if not shutil.which("gcore"):
        pytest.skip("gdb is not installed")
    made = subprocess.run(["gcore", "-o", folder / "gdb", str(pid)], capture_output=True, text=True, check=False,
                          timeout=60)
    path = folder / f"gdb.{pid}"
    assert path.exists(), made
    return path


def kernel_core(process, folder):
    with kernel_cores(folder):
        os.kill(process.pid, signal.SIGABRT)
        os.kill(process.pid, signal.SIGCONT)
        assert process.wait(60) == -signal.SIGABRT
    path = folder / f"kernel.{process.pid}"
    if not path.exists():
        pytest.skip("the kernel writes no core files here (CONFIG_COREDUMP, a container, no room?)")
    return path


@pytest.fixture
def secrets(victim, folder):
    one = victim("secrets", folder / "file", well=False)
    one.stop()
    return one


def check_writers(pidmem, process, folder):
    """The same bytes in all, wherever each has them."""
    _, live = dump_of(pidmem, process.pid, folder, "live", "--consistency=live")
    assert pidmem("core", "-o", folder / "ours", process.pid).code == 0
    paths = [folder / "ours", gdb_core(process.pid, folder), kernel_core(process, folder)]
    dumps = [live] + [dump_of(pidmem, path, folder, path.name + ".raw")[1] for path in paths]
    live, ours, gdbs, kernels = dumps
    for one, other in [(live, ours), (live, kernels), (ours, kernels)]:
        assert same_bytes(one, other) > 100 * 1024, (one.path, other.path)
    for one in (live, ours, kernels):
        assert same_bytes(one, gdbs, lossy=True) > 100 * 1024, one.path
    # And what the kernel has, we have; but what has no content we do not tell as zeros.
    written = sum(end - start for start, end in known(kernels))
    empty = sum(record.size for record in ours.records if record.cls == "no_content")
    assert sum(end - start for start, end in common(known(ours), known(kernels))) == written - empty


def test_four_writers(pidmem, secrets, folder):
    check_writers(pidmem, secrets.process, folder)


def test_four_writers_of_python(pidmem, folder):
    with Program(["/usr/bin/python3", "-c", PYTHON]) as program:
        program.wait_for(b"ready")
        program.stop()
        check_writers(pidmem, program.process, folder)


def lldb_memory(pid, folder):
    """{address: bytes}: what lldb saves. On Linux that is a minidump, of the stacks (its only style that works)."""
    if not shutil.which("lldb"):
        pytest.skip("lldb is not installed")
    path = folder / "lldb"
    made = subprocess.run(["lldb", "-b", "-o", f"process attach -p {pid}", "-o",
                           f"process save-core --plugin-name=minidump --style stack {path}", "-o", "detach"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    assert path.exists(), made
    data = path.read_bytes()
    magic, _, streams, directory = struct.unpack_from("<4s3I", data)
    assert magic == b"MDMP"
    place = {kind: at for kind, _, at in struct.iter_unpack("<3I", data[directory:directory + 12 * streams])}[5]
    (count,) = struct.unpack_from("<I", data, place)
    ranges = struct.iter_unpack("<Q2I", data[place + 4:place + 4 + 16 * count])
    return {start: data[at:at + size] for start, size, at in ranges}, path


def test_lldb(pidmem, victim, folder):
    """The same stacks; and the file itself is not taken for anything else."""
    one = victim("threads", 3, well=False)
    one.stop()
    _, live = dump_of(pidmem, one.pid, folder, "live", "--consistency=live")
    memory, path = lldb_memory(one.pid, folder)
    assert len(memory) >= 4
    for start, content in memory.items():
        end = start + len(content)
        parts = common(known(live), [(start, end)])
        assert sum(to - at for at, to in parts) >= len(content) // 2, hex(start)
        for at, to in parts:
            assert live.read(at, to - at) == content[at - start:to - start], hex(at)
    assert "minidump, as lldb writes them" in pidmem.fails("info", path).err


@pytest.mark.parametrize("name", ["secrets", "plain", "kinds"])
def test_whole_core_is_the_process(pidmem, victim, folder, name):
    """A core of everything reads as the process itself: one dump of each is the same, bytes and index."""
    one = victim(name, *([folder / "file"] if name == "secrets" else []), well=False)
    one.stop()
    live, mine = (pidmem("core", "-a", "--consistency=stopped", "-o", folder / "all", one.pid),
                  pidmem("dump", "-j", "--consistency=stopped", "-o", folder / "live", one.pid))
    assert live.code == mine.code and mine.code in (0, 3), (live, mine)
    again = pidmem("dump", "-j", "-o", folder / "again", folder / "all")
    assert again.code == mine.code, again
    with Dump(folder / "live") as first, Dump(folder / "again") as second:
        assert same_bytes(first, second) > 0
        for record in first.records:
            assert second.explained(record.start, record.end) <= {(None, None), ("zero", None)} \
                if record.why is None else {(record.cls, record.why)}, record
    for key in ("no_content", "unreadable"):
        assert mine.json["account"][key] == again.json["account"][key], key


def test_maps_of_our_core(pidmem, secrets, folder, way):
    """Names, kinds, offsets, inodes, and how much is in memory: as of the process."""
    live = pidmem("maps", "-j", secrets.pid).json
    assert pidmem("core", "--force", *given(way), "-o", folder / "ours", secrets.pid).code == 0
    core = pidmem("maps", "-j", folder / "ours").json
    for region in core["regions"]:
        region.pop("saved")
    assert core["regions"] == live["regions"]
    assert (core["target"], core["pid"], core["name"]) == (str(folder / "ours"), secrets.pid, "secrets")
    assert pidmem("maps", folder / "ours").out == pidmem("maps", secrets.pid).out


def test_maps_of_a_dump(pidmem, secrets, folder):
    live = pidmem("maps", "-j", secrets.pid).json
    dump_of(pidmem, secrets.pid, folder, "raw")
    regions = pidmem("maps", "-j", folder / "raw").json["regions"]
    for region in regions:
        assert region.pop("saved") <= region["size"]
        assert region["rss"] is region["swap"] is None
    for region in live["regions"]:
        region["rss"] = region["swap"] = None
    assert regions == live["regions"]


def test_eight_secrets(pidmem, secrets, folder):
    """All of them, at their addresses, in each kind of file of ours."""
    assert pidmem("core", "-a", "-o", folder / "core", secrets.pid).code == 0
    dump_of(pidmem, secrets.pid, folder, "raw")
    assert pidmem("dump", "--split", folder / "split", secrets.pid).code == 0
    for target in (secrets.pid, folder / "core", folder / "raw", folder / "split"):
        for i in range(1, SECRETS + 1):
            wanted = f"planted-{0x5EC0DE00 + i:08x}-secret".encode()
            result = pidmem("read", "--raw", target, f"{getattr(secrets, f'secret{i}'):x}", str(len(wanted)))
            assert (result.code, result.out) == (0, wanted), (target, i, result)


def test_guard_pages_stay_what_they_are(pidmem, secrets, folder):
    if "unguarded" in secrets.facts:
        pytest.skip("this kernel has no guard pages (Linux 6.13)")
    guarded = secrets.secret1 - 3 * PAGE
    assert pidmem("core", "-o", folder / "core", secrets.pid).code == 0
    live, core = (pidmem("read", "-j", target, f"{guarded:x}", "8192").json for target in (secrets.pid, folder / "core"))
    assert live["bytes"] == core["bytes"] == "??" * PAGE + "00" * PAGE
    assert live["holes"] == core["holes"] and live["account"] == core["account"]


def test_names_in_a_core_of_gdb(pidmem, secrets, folder):
    """As far as they can be told: files, the stack, the kernel's code; what cannot be told is a question mark."""
    live = {region["start"]: region for region in pidmem("maps", "-j", secrets.pid).json["regions"]}
    regions = pidmem("maps", "-j", gdb_core(secrets.pid, folder)).json["regions"]
    for region in regions:
        real = live[region["start"]]
        assert region["end"] == real["end"]
        for i in range(4):
            # gdb says of all memory that it can be read.
            assert region["perms"][i] in (real["perms"][i], "?", "r"), region
        if region["path"]:
            assert (region["path"], region["deleted"]) == (real["path"], real["deleted"])
    paths = {region["path"] for region in regions}
    assert {"[stack]", "[vdso]", "/memfd:vanished"} <= paths, paths


def test_info(pidmem, victim, folder):
    """The same facts of the process and of its core; and what a core of gdb lacks."""
    one = victim("threads", 12, well=False)
    live = pidmem("info", "-j", one.pid).json
    assert live["kind"] == "process" and len(live["thread_list"]) == 13
    assert pidmem("core", "-o", folder / "ours", one.pid).code == 0
    core = pidmem("info", "-j", folder / "ours").json
    assert core["kind"] == "core" and core["command_line"] == live["command_line"][:79]
    assert [(thread["tid"], thread["name"]) for thread in core["thread_list"]] == \
        [(thread["tid"], thread["name"]) for thread in live["thread_list"]]
    assert core["file"]["writer"] == "pidmem" and core["file"]["complete"] and not core["file"]["truncated"]
    assert core["consistency"] == "snapshot" and core["engine"] and core["pause_us"] > 0
    assert core["remarks"] == [] and core["holes"] == []
    for kinds in zip(live["kinds"], core["kinds"]):
        assert [kinds[0][key] == kinds[1][key] for key in ("kind", "count", "size")] == [True] * 3
    check_account(core["account"])
    gdb = pidmem("info", "-j", gdb_core(one.pid, folder)).json
    assert gdb["file"]["writer"] == "gdb" and gdb["consistency"] == "stopped"
    assert any("zeros" in remark for remark in gdb["remarks"])
    assert {module["path"]: module["build_id"] for module in gdb["modules"]} == \
        {module["path"]: module["build_id"] for module in live["modules"]}
    assert pidmem("info", folder / "ours").text.splitlines()[0].endswith("on disk)")


def test_build_ids(pidmem, plain):
    """As readelf sees them in the files."""
    if not shutil.which("readelf"):
        pytest.skip("readelf is not installed (binutils)")
    modules = {module["path"]: module["build_id"] for module in pidmem("info", "-j", plain.pid).json["modules"]}
    files = [path for path in modules if os.path.exists(path)]
    assert len(files) >= 2
    for path in files:
        notes = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=False).stdout
        found = [line.split()[-1] for line in notes.splitlines() if "Build ID:" in line]
        assert modules[path] == (found[0] if found else None), path


def test_convert(pidmem, secrets, folder):
    """Core to core is the same file; narrowed it has what was asked for; a raw dump becomes a core, too."""
    assert pidmem("core", "-o", folder / "ours", secrets.pid).code == 0
    assert pidmem("core", "-o", folder / "again", folder / "ours").code == 0
    assert pidmem("core", "-o", folder / "third", folder / "again").code == 0
    assert (folder / "again").read_bytes() == (folder / "third").read_bytes()
    for name in ("ours", "again"):
        dump_of(pidmem, folder / name, folder, f"{name}.raw")
    assert (folder / "ours.raw").read_bytes() == (folder / "again.raw").read_bytes()
    assert (folder / "ours.raw.index").read_bytes() == (folder / "again.raw.index").read_bytes()
    result = pidmem("core", "-j", "-R", "stack", "-R", "[heap]", "-o", folder / "few", folder / "ours")
    assert result.code == 0, result
    with Core(folder / "ours") as whole, Core(folder / "few") as few:
        assert few.check() == []
        saved = [segment for segment in few.segments if segment.filesz]
        assert len(saved) == 2
        for segment in saved:
            assert few.read(segment.start, segment.filesz) == whole.read(segment.start, segment.filesz)
        assert [(n.owner, n.type, n.data) for n in few.notes if n.owner != "pidmem"] == \
            [(n.owner, n.type, n.data) for n in whole.notes if n.owner != "pidmem"]
    assert result.json["account"]["total"] == sum(segment.memsz for segment in few.segments)
    _, raw = dump_of(pidmem, secrets.pid, folder, "raw")
    assert pidmem("core", "-o", folder / "raw.core", folder / "raw").code == 0
    _, back = dump_of(pidmem, folder / "raw.core", folder, "back")
    assert known(back) == known(raw) and same_bytes(raw, back)


def test_convert_of_gdb(pidmem, secrets, folder):
    """What the original did not tell, the copy does not either."""
    path = gdb_core(secrets.pid, folder)
    assert pidmem("core", "-o", folder / "copy", path).code == 0
    with Core(folder / "copy") as core:
        assert core.check() == [] and core.threads
    first, second = (pidmem("maps", "-j", target).json["regions"] for target in (path, folder / "copy"))
    for region in first + second:
        region.pop("saved")  # where gdb wrote zeros the copy has holes
    assert first == second
    _, one = dump_of(pidmem, path, folder, "one")
    _, other = dump_of(pidmem, folder / "copy", folder, "other")
    assert known(one) == known(other) and same_bytes(one, other)
    assert one.lines == other.lines


def test_32_bit(pidmem, victim, folder):
    one = victim("plain32", binary=build32(folder, "plain"), well=False)
    one.stop()
    _, live = dump_of(pidmem, one.pid, folder, "live", code=(0, 3))
    assert pidmem("core", "-o", folder / "ours", one.pid).code == 0
    for path in (folder / "ours", gdb_core(one.pid, folder), kernel_core(one.process, folder)):
        info = pidmem("info", "-j", path)
        assert info.code == 0 and info.json["file"]["bits"] == 32 and info.json["file"]["machine"] == "i386", info
        assert info.json["pid"] == one.pid
        _, dump = dump_of(pidmem, path, folder, path.name + ".raw")
        assert same_bytes(live, dump) > 50 * 1024


def test_split_dump(pidmem, secrets, folder):
    _, raw = dump_of(pidmem, secrets.pid, folder, "raw")
    assert pidmem("dump", "--split", folder / "split", secrets.pid).code == 0
    _, again = dump_of(pidmem, folder / "split", folder, "again")
    assert known(raw) == known(again)
    assert same_bytes(raw, again)
    next(path for path in (folder / "split").iterdir() if path.suffix == ".mem").unlink()
    result = pidmem("dump", "-o", folder / "lost", folder / "split")
    assert result.code == 2 and "No such file" in result.err, result


def cut(path, size):
    data = path.read_bytes()
    copy = path.with_name(f"cut.{size}")
    copy.write_bytes(data[:size])
    return copy


def test_cut_within_the_headers(pidmem, secrets, folder):
    """Of regions that nobody knows, not even how many: no account can be the whole."""
    assert pidmem("core", "-o", folder / "core", secrets.pid).code == 0
    for size in (64, 200):
        for command in (["info"], ["dump", "--force", "-o", folder / "raw"], ["find"]):
            result = pidmem(*command, cut(folder / "core", size), *(["x"] if command == ["find"] else []))
            assert result.code == 3 and "the file ends within its headers" in result.err, result


def test_files_that_are_something_else(pidmem, tmp_path):
    for head, what, way in [(b"", "is empty", "no room"), (b"\xfd7zXZ\0", "by xz", "xz -dc"), (b"\x1f\x8b\x08", "gzip", "-dc"),
                            (b"\x04\x22\x4d\x18", "by lz4", "lz4 -dc"), (b"BZh9", "bzip2", "-dc"),
                            (b"text", "neither a core file nor a raw dump", "FILE.index")]:
        (tmp_path / "file").write_bytes(head and head.ljust(100, b"x"))
        result = pidmem.fails("info", tmp_path / "file")
        assert what in result.err.splitlines()[0] and way in result.err.splitlines()[1], result


@pytest.mark.parametrize("writer", ["ours", "gdb"])
def test_truncated(pidmem, secrets, folder, writer):
    """As far as it goes, saying so: bytes that are there are right, the others are told as missing."""
    if writer == "ours":
        path = folder / "ours"
        assert pidmem("core", "-o", path, secrets.pid).code == 0
    else:
        path = gdb_core(secrets.pid, folder)
    _, whole = dump_of(pidmem, path, folder, "whole")
    size = pidmem("info", "-j", path).json["file"]["size"]["expected"]  # gdb has section headers behind it
    for length in [0, 3, 16, 63, 64, 65, 120, 1000, 5000, *range(9999, size, size // 12), size - 1]:
        copy = cut(path, length)
        info, maps = pidmem("info", "-j", copy), pidmem("maps", "-j", copy)
        if length < 64:
            assert (info.code, maps.code) == (2, 2) and "core file" in info.err, info
            continue
        assert info.code in (0, 3) and maps.code == 0, (length, info, maps)
        assert info.json["file"]["truncated"] and info.json["remarks"], (length, info)
        result = pidmem("dump", "-j", "-o", folder / f"d{length}", copy)
        assert result.code == info.code, result
        assert "too early" in result.err or "missing" in result.err
        with Dump(folder / f"d{length}") as dump:
            assert dump.check(result.json["account"]) == []
            same_bytes(whole, dump)
            lost = common([(r.start, r.end) for r in dump.records if r.why == "truncated"], known(whole))
            lost, told = sum(end - start for start, end in lost), result.json["account"]["unreadable"]
            # Guard pages, and what gdb could not read: nothing tells of them any more.
            assert lost <= told <= lost + 24 * PAGE


def test_truncated_dump(pidmem, secrets, folder):
    report, whole = dump_of(pidmem, secrets.pid, folder, "raw")
    size = (folder / "raw").stat().st_size
    shutil.copy(folder / "raw.index", folder / "short.index")
    (folder / "short").write_bytes((folder / "raw").read_bytes()[:size - 3 * PAGE - 7])
    short, dump = dump_of(pidmem, folder / "short", folder, "d", code=(3,))
    assert short["account"]["unreadable"] == 3 * PAGE + 7
    assert short["account"]["total"] == report["account"]["total"]
    same_bytes(whole, dump)


def test_what_is_no_target(pidmem, folder):
    """Each with its own words, and the way out."""
    (folder / "text").write_text("hello\n")
    (folder / "mini").write_bytes(b"MDMP" + bytes(100))
    (folder / "raw").write_bytes(bytes(PAGE))
    (folder / "raw.index").write_text("{}\n")
    os.mkfifo(folder / "fifo")
    for name, words in [("text", "neither a core file nor a raw dump"), ("mini", "minidump"), ("fifo", "regular"),
                        ("raw", "line 1 of the index"), ("raw.index", "index of a dump"), (".", "directory"),
                        ("../../bin/true", "a program or a library")]:
        path = pathlib.Path("/bin/true") if "true" in name else folder / name
        assert words in pidmem.fails("maps", path, hint=name != "raw").err
    assert "No such file" not in pidmem.fails("maps", folder / "nothing").err


def test_options_that_files_refuse(pidmem, plain, folder):
    assert pidmem("core", "-o", folder / "core", plain.pid).code == 0
    for arguments in [("core", folder / "core"), ("dump", folder / "core"),
                      ("read", "--consistency=live", folder / "core", "[heap]"),
                      ("core", "--all", "-o", folder / "x", folder / "core"),
                      ("core", "--filter", "1", "-o", folder / "x", folder / "core"),
                      ("core", "--tree", "-o", folder / "x", folder / "core"),
                      ("core", "-o", folder / "x", folder / "core", plain.pid),
                      ("maps", "-x", folder / "core"), ("maps", "-o", "pss", folder / "core"),
                      ("why", folder / "core"), ("gcore", folder / "core")]:
        if arguments[0] == "gcore":
            continue
        pidmem.fails(*arguments)
        assert not (folder / "x").exists()


def test_a_file_named_by_digits(pidmem, plain, folder):
    assert pidmem("core", "-o", folder / "123", plain.pid).code == 0
    assert pidmem("info", "-j", "./123", cwd=folder).json["pid"] == plain.pid


def test_without_rights(pidmem, plain, user_dir, as_user):
    """Files need no privilege."""
    if as_user is None:
        pytest.skip("the tests run as an ordinary user already")
    assert pidmem("core", "-o", user_dir / "core", plain.pid).code == 0
    os.chown(user_dir / "core", as_user, as_user)
    result = pidmem("dump", "-j", "-o", user_dir / "raw", user_dir / "core", user=as_user, cwd=user_dir)
    assert result.code == 0 and json.loads(result.out)["account"]["read"] > 0
