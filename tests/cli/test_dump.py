# SPDX-License-Identifier: LGPL-2.1-or-later
"""`dump` of victims that pose the cases of memory one by one: each byte at its address, each hole with its reason."""

import mmap
import os
import subprocess
import sys

import oracle
import pytest
from conftest import BLIND, PAGE, TARGETS, pattern
from dump_reader import Dump
from dumping import take
from oracle import judge
from saved_file import Hole

READ = {(None, None)}
MIB = 1 << 20


@pytest.fixture(params=["live", "snapshot"])
def consistency(request):
    return request.param


@pytest.fixture
def taken(pidmem, victim, tmp_path, consistency):
    """taken(name, args…) starts a victim, stops it, dumps it and lets the oracle judge every byte.

    On one processor: the kernel writes the number of the current one into each thread's memory (rseq(2)), and to take a
    snapshot or to have the copy waited for, the first thread runs for a moment.
    """
    dumps = []
    processor = min(os.sched_getaffinity(0))

    def start(name, *args, code=0, **options):
        one = victim(name, *args, preexec_fn=lambda: os.sched_setaffinity(0, {processor}), **options)
        one.stop()
        _, dump = take(pidmem, one.pid, tmp_path, code=code, name=f"{name}.mem", consistency=consistency)
        dumps.append(dump)
        assert judge(one.pid, dump) == []
        return one, dump

    yield start
    for dump in dumps:
        dump.close()


def test_ordinary_process(taken):
    one, dump = taken("plain")
    assert dump.read(one.heap, 19) == b"heap: the lazy dog\0"
    assert dump.read(one.stack, 18) == b"stack: jumps over\0"
    assert dump.read(one.data, 26) == b"data: the quick brown fox\0"
    expected = bytearray(pattern(4, 1))
    expected[PAGE:PAGE + 512] = bytes(512)
    expected[2 * PAGE + 5:2 * PAGE + 105] = bytes(100)
    assert dump.read(one.bytes, 4 * PAGE) == expected


def test_kernel_pages_are_left_out_and_said(taken):
    one, dump = taken("plain")
    kernel = {region.start: region for region in oracle.regions(one.pid)
              if region.path.startswith((b"[vvar", b"[vsyscall"))}
    assert kernel
    for region in kernel.values():
        assert dump.explained(region.start, region.end) == {("excluded", "kernel")}


def test_guard_pages_at_head_and_middle(taken):
    one, dump = taken("guard")
    expected = pattern(16, 2)
    guards = {0, 7, 8, 15}
    for page in range(16):
        address = one.region + page * PAGE
        if page in guards:
            assert dump.explained(address, address + PAGE) == {("no_content", "guard")}
        else:
            assert dump.read(address, PAGE) == expected[page * PAGE:][:PAGE]


def test_file_truncated_after_mapping(taken, tmp_path):
    one, dump = taken("truncated", tmp_path / "file")
    head = pattern(1, 3)
    for name in ("shared", "private", "untouched"):
        address = one.facts[name]
        assert dump.read(address, PAGE)[200:] == head[200:]
        assert dump.read(address + PAGE, 100) == pattern(1, 3, first=1)[:100]
    assert dump.read(one.private + 16, 23) == b"written before the cut\0"
    # The private copy of page 0 lives on; past the end there is nothing.
    for name in ("shared", "untouched"):
        address = one.facts[name]
        assert dump.explained(address + 2 * PAGE, address + 4 * PAGE) == {("no_content", "past-eof")}
    behind = b"behind the end of the file, within its page"
    assert dump.read(one.shared + PAGE + 200, len(behind)) == behind


def test_data_without_read_permission(taken, tmp_path):
    one, dump = taken("noaccess", tmp_path / "file", code=BLIND)
    for seed, name in enumerate(("private_none", "private_write", "shared_none", "shared_write", "file_none"), 10):
        size = 2 if BLIND and name.startswith("shared") else 4
        assert dump.read(one.facts[name], size * PAGE) == (pattern(2, seed) + bytes(2 * PAGE))[:size * PAGE], name
    assert dump.read(one.never, 4 * PAGE) == bytes(4 * PAGE)


def test_secret_over_the_border_of_two_regions(taken):
    one, dump = taken("straddle")
    secret = b"over-the-border-of-two-regions"
    assert dump.read(one.secret, len(secret)) == secret
    with open(dump.path, "rb") as file:
        assert secret in file.read(), "adjacent in memory, so adjacent in the file"
    assert dump.read(one.region + 4 * PAGE - 12, 12) == b"last bytes!\0"
    assert dump.find(one.region + 4 * PAGE) is None


def test_deleted_memfd_sparse_and_written_by_another(taken, need_root):
    one, dump = taken("memfd")
    assert dump.read(one.region, PAGE) == pattern(1, 5)
    assert dump.read(one.region + 256 * PAGE, PAGE) == pattern(1, 6), "never mapped in by the process itself"
    assert dump.read(one.region + PAGE, 255 * PAGE) == bytes(255 * PAGE)
    assert dump.read(one.region + 257 * PAGE, 255 * PAGE) == bytes(255 * PAGE)
    assert "two  spaces" in dump.find(one.region).path


def test_deleted_memfd_as_ordinary_user(pidmem, victim, user_dir, as_user):
    """Without privilege the pages that the process never mapped in cannot be had: that is said, with exit 3."""
    one = victim("memfd", user=as_user)
    report, dump = take(pidmem, one.pid, user_dir, code=3, user=as_user)
    with dump:
        assert dump.read(one.region, PAGE) == pattern(1, 5)
        assert dump.explained(one.region + 256 * PAGE, one.region + 257 * PAGE) == {("unreadable", "shared")}
    assert report["account"]["unreadable"] > 0


def test_deleted_memfd_through_an_open_descriptor(pidmem, victim, user_dir, as_user):
    """The same while the process still holds the descriptor: an ordinary user gets it through that."""
    one = victim("memfd", "keep", user=as_user)
    _, dump = take(pidmem, one.pid, user_dir, user=as_user)
    with dump:
        assert dump.read(one.region + 256 * PAGE, PAGE) == pattern(1, 6)


def test_shared_memory_touched_by_the_parent_only(pidmem, victim, tmp_path, need_root):
    one = victim("family")
    _, dump = take(pidmem, one.child, tmp_path)
    with dump:
        assert dump.read(one.shared, 4 * PAGE) == bytes(PAGE) + pattern(2, 7) + bytes(PAGE)


def test_shared_memory_of_the_parent_as_ordinary_user(pidmem, victim, user_dir, as_user):
    one = victim("family", user=as_user)
    result = pidmem("dump", "-o", user_dir / "d", one.child, user=as_user)
    assert result.code == 3, result
    assert "pidmem: " in result.err or "hint: " in result.err, "what could not be read, and why, is on stderr"
    with Dump(user_dir / "d") as dump:
        assert dump.explained(one.shared, one.shared + 4 * PAGE) == {("unreadable", "shared")}
    _, dump = take(pidmem, one.pid, user_dir, code=3, user=as_user, name="parent")
    with dump:
        assert dump.read(one.shared + PAGE, 2 * PAGE) == pattern(2, 7), "the parent itself has it"
        assert dump.explained(one.shared, one.shared + PAGE) == {("unreadable", "shared")}


@pytest.fixture
def hugepages(need_root):
    """Six huge pages for a while: four that are used, and two that a snapshot needs in reserve."""
    setting = "/proc/sys/vm/nr_hugepages"
    with open(setting) as file:
        before = file.read()
    with open(setting, "w") as file:
        file.write(str(int(before) + 6))
    with open(setting) as file:
        granted = int(file.read()) - int(before)
    yield granted
    with open(setting, "w") as file:
        file.write(before)


def test_hugetlb(hugepages, taken):
    if hugepages < 6:
        pytest.skip(f"the kernel grants {hugepages} of 6 huge pages (vm.nr_hugepages)")
    one, dump = taken("hugetlb")
    for name, seed in (("private", 8), ("shared", 9)):
        assert dump.read(one.facts[name], 2 * MIB) == pattern(512, seed)
        assert dump.read(one.facts[name] + 2 * MIB, 2 * MIB) == bytes(2 * MIB)


def test_transparent_huge_pages(taken):
    one, dump = taken("thp")
    expected = pattern(512, 20)
    assert dump.read(one.region + 2 * MIB, MIB) == expected[:MIB]
    assert dump.read(one.region + 3 * MIB, MIB // 2) == bytes(MIB // 2)
    assert dump.read(one.region + 3 * MIB + MIB // 2, MIB // 2) == expected[MIB + MIB // 2:]
    assert dump.explained(one.region + 4 * MIB, one.region + 8 * MIB) == {("zero", None)}
    for region in oracle.smaps(one.pid):
        if region.start <= one.region < region.end and not region.numbers["AnonHugePages"]:
            pytest.skip("checked, but the kernel gave no huge page (transparent_hugepage/enabled)")


def test_swapped_pages(swap, taken):
    one, dump = taken("swapped")
    assert dump.read(one.private, 64 * PAGE) == pattern(64, 21)
    assert dump.read(one.shared, 64 * PAGE) == pattern(64, 22)


def test_swapped_pages_are_told_by_maps(swap, pidmem, victim):
    one = victim("swapped")
    region = next(r for r in oracle.smaps(one.pid) if r.start == one.private)
    if region.numbers["Swap"] == 0:
        pytest.skip("the kernel did not swap the pages out (MADV_PAGEOUT)")
    told = next(r for r in pidmem("maps", "-j", one.pid).json["regions"] if int(r["start"], 16) == one.private)
    assert (told["rss"], told["swap"]) == (region.numbers["Rss"], region.numbers["Swap"])


KINDS = ["zero_private", "zero_shared", "system_v", "memfd", "dontfork", "wipeonfork", "dontdump", "growsdown", "code"]


def test_unusual_kinds(taken, need_root):
    one, dump = taken("kinds")
    for seed, name in enumerate(KINDS, 40):
        third = pattern(1, 50) if name == "memfd" else bytes(PAGE)
        assert dump.read(one.facts[name], 4 * PAGE) == bytes(PAGE) + pattern(1, seed) + third + bytes(PAGE), name


def test_ring_of_asynchronous_input_and_output(pidmem, victim, tmp_path, need_root):
    """Pages of the kernel that appear as a deleted file, which cannot be opened: read where present, else said."""
    one = victim("kinds", "with aio")
    if "aio" not in one.facts:
        pytest.skip("no io_setup(2)")
    result = pidmem("dump", "-j", "-o", tmp_path / "d", one.pid)
    assert result.code in (0, 3), result
    ring = next(region for region in oracle.regions(one.pid) if region.start == one.aio)
    with Dump(tmp_path / "d") as dump:
        assert dump.check(result.json["account"]) == []
        assert all(record.cls == "unreadable" for record in dump.overlapping(ring.start, ring.end)
                   if record.offset is None and not record.zero)
    assert result.json["account"]["unreadable"] <= ring.size


def test_unusual_kinds_as_ordinary_user(pidmem, victim, user_dir, as_user):
    """What is private and untouched is zero, whatever its name; of shared objects only what is mapped in is known."""
    one = victim("kinds", user=as_user)
    _, dump = take(pidmem, one.pid, user_dir, code=3, user=as_user)
    with dump:
        for seed, name in enumerate(KINDS, 40):
            address = one.facts[name]
            assert dump.read(address + PAGE, PAGE) == pattern(1, seed), name
            if name in ("zero_shared", "system_v"):
                assert dump.explained(address, address + PAGE) == {("unreadable", "shared")}, name
            elif name == "memfd":
                assert dump.explained(address + 2 * PAGE, address + 3 * PAGE) == {("unreadable", "file")}
            else:
                assert dump.read(address, PAGE) == dump.read(address + 2 * PAGE, PAGE) == bytes(PAGE), name


def test_device_memory_is_never_read(taken):
    one, dump = taken("device")
    region = next(r for r in oracle.smaps(one.pid) if r.start == one.ring)
    if not region.flags & {"io", "pf"}:
        pytest.skip("a perf ring buffer is no VM_IO here (Linux 6.15)")
    assert dump.explained(region.start, region.end) == {("excluded", "device")}


def test_private_file_partly_written_and_partly_resident(taken, tmp_path):
    one, dump = taken("cow", tmp_path / "file")
    expected = bytearray(pattern(17, 23))
    expected[16 * PAGE + 100:] = bytes(PAGE - 100)
    assert dump.read(one.untouched, 17 * PAGE) == expected
    expected[2 * PAGE:2 * PAGE + 14] = b"copy on write\0"
    expected[16 * PAGE + 200:16 * PAGE + 212] = b"in the tail\0"
    assert dump.read(one.region, 17 * PAGE) == expected


def test_private_file_as_ordinary_user(pidmem, victim, user_dir, as_user):
    one = victim("cow", user_dir / "file", user=as_user)
    _, dump = take(pidmem, one.pid, user_dir, user=as_user)
    with dump:
        assert dump.read(one.untouched, 16 * PAGE) == pattern(16, 23)
        assert dump.read(one.region + 6 * PAGE, PAGE) == pattern(1, 23, first=6)


def test_replaced_file_is_not_mistaken(pidmem, victim, user_dir, as_user):
    """Another file under the mapped path: its bytes are not those of the process."""
    file = user_dir / "file"
    one = victim("cow", file, user=as_user)
    file.unlink()
    file.write_bytes(b"impostor" * 2 * PAGE)
    if as_user is not None:
        os.chown(file, as_user, as_user)
    result = pidmem("dump", "-o", user_dir / "d", one.pid, user=as_user)
    assert result.code in (0, 3), result
    with Dump(user_dir / "d") as dump:
        try:
            assert dump.read(one.untouched, 16 * PAGE) == pattern(16, 23)
        except Hole:
            assert (result.code, dump.find(one.untouched).why) == (3, "file")


@pytest.mark.parametrize("role", ["root", "ordinary"])
@pytest.mark.parametrize("holder", [[], ["elsewhere"]], ids=["held", "held elsewhere"])
def test_userfaultfd_never_blocks(pidmem, victim, user_dir, as_user, role, holder):
    if role == "root" and os.geteuid() != 0:
        pytest.skip("needs root")
    user = as_user if role == "ordinary" else None
    one = victim("uffd", *holder, user=user)
    # Whether shared memory has a page that this process does not, an ordinary user cannot know.
    blind = role == "ordinary"
    _, dump = take(pidmem, one.pid, user_dir, code=3 if blind else 0, user=user)
    with dump:
        assert dump.read(one.private, PAGE) == pattern(1, 24)
        assert dump.read(one.shared, PAGE) == pattern(1, 25)
        missing = ("no_content", "userfaultfd")
        assert dump.explained(one.private + PAGE, one.private + 4 * PAGE) == {missing}
        assert dump.explained(one.shared + PAGE, one.shared + 4 * PAGE) == \
            {("unreadable", "shared") if blind else missing}


def test_secret_memory_is_unreadable_and_said(taken):
    one, dump = taken("secretmem", code=3)
    assert dump.explained(one.region, one.region + 2 * PAGE) == {("unreadable", "secret")}


def test_twenty_tebibytes_reserved(taken):
    tib = 1 << 40
    one, dump = taken("reserve")
    for at, seed in ((0, 30), (10 * tib, 31), (20 * tib - PAGE, 32)):
        assert dump.read(one.region + at, PAGE) == pattern(1, seed)
    big = [record for record in dump.overlapping(one.region, one.region + 20 * tib) if record.zero]
    assert sum(record.size for record in big) > 19 * tib
    assert dump.explained(one.none, one.none + 4 * tib) == {("zero", None)}
    assert os.stat(dump.path).st_size < 256 * MIB


def test_eight_secrets(taken, tmp_path):
    one, dump = taken("secrets", tmp_path / "file", code=BLIND)
    if "unguarded" in one.facts:
        pytest.skip("no guard pages on this kernel (Linux 6.13)")
    with open(dump.path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        for number in range(1, 9):
            secret = b"planted-%08x-secret\0" % (0x5EC0DE00 + number)
            address = one.facts[f"secret{number}"]
            assert dump.read(address, len(secret)) == secret, number
            assert whole.find(secret) >= 0, f"secret {number} is not in one piece in the file"


def test_32_bit_program(taken, tmp_path):
    binary = tmp_path / "bits32"
    build = subprocess.run(["gcc", "-m32", "-D_GNU_SOURCE", "-I", os.path.dirname(__file__) + "/../targets",
                            os.path.dirname(__file__) + "/../targets/bits32.c", "-o", binary],
                           capture_output=True, text=True, check=False)
    if build.returncode:
        pytest.skip("no 32-bit compiler (gcc -m32, Debian gcc-multilib)")
    one, dump = taken("bits32", binary=binary)
    assert dump.read(one.region, 2 * PAGE) == pattern(2, 33)


def test_many_regions(pidmem, victim, tmp_path):
    one = victim("many", 65000)
    _, dump = take(pidmem, one.pid, tmp_path)
    with dump:
        for number in range(0, 65000, 1000):
            text = b"region number %d\0" % number
            assert dump.read(one.region + number * PAGE, len(text)) == text
        starts = {record.start for record in dump.records}
        assert all(one.region + i * PAGE in starts for i in range(65000)), "a record for each region"


def test_another_pid_and_mount_namespace(pidmem, victim, tmp_path, need_root):
    """The file of a mapping that only the process's own mount namespace holds."""
    hidden = "/tmp/only-there"
    script = f'mount -t tmpfs none /tmp && exec "{TARGETS}/cow" {hidden}'
    if str(TARGETS).startswith("/tmp"):
        hidden = "/mnt/only-there"
        script = f'mount -t tmpfs none /mnt && exec "{TARGETS}/cow" {hidden}'
    outer = victim("cow", "--pid", "--fork", "--mount", "--kill-child", "sh", "-c", script, binary="/usr/bin/unshare")
    with open(f"/proc/{outer.pid}/task/{outer.pid}/children") as children:
        pid = int(children.read().split()[0])
    assert not os.path.exists(hidden)
    _, dump = take(pidmem, pid, tmp_path)
    with dump:
        assert dump.read(outer.untouched, 16 * PAGE) == pattern(16, 23)
        assert dump.find(outer.untouched).path == hidden
        assert judge(pid, dump) == []


def test_python_reads_the_same(pidmem, victim, tmp_path):
    """The question's own script: maps, mem, seek, read. What it gets, the dump has."""
    one = victim("plain")
    one.stop()
    _, dump = take(pidmem, one.pid, tmp_path)
    script = ("import re,sys\n"
              "for line in open(f'/proc/{sys.argv[1]}/maps'):\n"
              "    m = re.match(r'([0-9a-f]+)-([0-9a-f]+) ([-r])', line)\n"
              "    if m.group(3) == 'r' and '[v' not in line:\n"
              "        mem = open(f'/proc/{sys.argv[1]}/mem', 'rb', 0)\n"
              "        mem.seek(int(m.group(1), 16))\n"
              "        sys.stdout.buffer.write(mem.read(int(m.group(2), 16) - int(m.group(1), 16)))\n")
    theirs = subprocess.run([sys.executable, "-c", script, str(one.pid)], capture_output=True, check=True).stdout
    ours = b"".join(dump.read(record.start, record.size) for record in dump.records
                    if record.perms[0] == "r" and (record.zero or record.offset is not None)
                    and not record.path.startswith("[v"))
    assert ours == theirs
