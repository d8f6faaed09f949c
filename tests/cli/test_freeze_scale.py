# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many threads, many regions, much address space: everything is there, and the cost follows what is."""

import bisect
import os
import struct
import subprocess

import pytest
from conftest import PAGE, pattern
from engines import given
from freezing import SANITIZED, changed, held_back, portrait_at_rest, rounds, save, tasks, wait_until


PEAK = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


@pytest.mark.timeout(300)
def test_two_thousand_threads(pidmem, victim, tmp_path, way):
    """Each with its own registers: its stack pointer lies below its variable, which holds its number."""
    one = victim("threads", 2000)
    report, core = save(pidmem, one.pid, tmp_path / "core", way=way)
    with core:
        assert report["threads"] == len(core.threads) == 2001
        assert core.threads[0].pid == one.pid
        assert sorted(thread.pid for thread in core.threads) == sorted(tasks(one.pid))
        places = struct.unpack("<2000Q", core.read(one.stacks, 16000))
        stacks = {place: core.word(place) for place in places}
        assert sorted(stacks.values()) == [0x7EAD0000 + i for i in range(2000)]
        pointers = [thread.registers["rsp"] for thread in core.threads[1:] if "rsp" in thread.registers]
        places = sorted(places) + [1 << 64]
        assert all(places[bisect.bisect(places, pointer)] - pointer < 64 << 10 for pointer in pointers)
    wait_until(held_back, one.pid)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", ["core", "dump"])
def test_sixty_thousand_regions(pidmem, victim, tmp_path, command, engine):
    """Of one page each: more than 65,534 segments take PN_XNUM, and these come close."""
    one = victim("many", 60000)
    before = portrait_at_rest(one.pid)
    report, file = save(pidmem, one.pid, tmp_path / "file", command=command, way=engine)
    with file:
        for i in range(0, 60000, 1000):
            text = b"region number %d" % i
            assert file.read(one.region + i * PAGE, len(text)) == text
        if command == "core":
            own = [segment for segment in file.segments
                   if one.region <= segment.start < one.region + 60000 * PAGE]
            assert len(own) == 60000
    wait_until(changed, one.pid, before)


@pytest.mark.parametrize("command", ["core", "dump"])
def test_twenty_tebibytes_reserved(pidmem, victim, tmp_path, command, engine):
    one = victim("reserve")
    before = portrait_at_rest(one.pid)
    report, file = save(pidmem, one.pid, tmp_path / "file", command=command, way=engine)
    with file:
        for offset, seed in ((0, 30), (10 << 40, 31), ((20 << 40) - PAGE, 32)):
            assert file.read(one.region + offset, PAGE) == pattern(1, seed)
        if command == "dump":  # a core has no bytes for long ranges that were never touched, as the kernel's own
            assert file.read(one.region + (5 << 40), PAGE) == bytes(PAGE)
    assert os.stat(tmp_path / "file").st_blocks * 512 < 16 << 20
    wait_until(changed, one.pid, before)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer has memory of its own")
@pytest.mark.parametrize("name,arguments", [("reserve", []), ("many", [60000]), ("leave", [128]), ("threads", [2000]),
                                            ("stamped", ["small", 96, "paced", "paced"])])
def test_memory_of_pidmem_itself(pidmem, victim, tmp_path, name, arguments, engine):
    """It does not grow with the target, nor with what it writes meanwhile: 64 MiB at most, whatever is saved."""
    one = victim(name, *arguments, cwd=tmp_path)
    # A process begins with the peak of the one that started it, so that has to be a small one.
    peak = pidmem("core", "-q", *given(engine), "-o", tmp_path / "core", one.pid,
                  before=["/usr/bin/python3", "-S", "-c", PEAK])
    assert peak.code == 0 and int(peak.out) < 64 << 10, peak


def test_large_memory_is_whole(pidmem, victim, tmp_path, engine):
    """So much of it that two threads share the looks at its page tables and the reading."""
    one = victim("noise", 272)
    _, core = save(pidmem, one.pid, tmp_path / "core", way=engine)
    with core, open(f"/proc/{one.pid}/mem", "rb", 0) as memory:
        for at in range(one.region, one.region + one.size, 16 << 20):
            memory.seek(at)
            assert core.read(at, 16 << 20) == memory.read(16 << 20), hex(at)


def test_page_cache_is_left_to_others(pidmem, victim, tmp_path, engine):
    """At most 64 MiB of what was written stay there, however it came: here in 1,024 pieces."""
    if subprocess.check_output(["stat", "-f", "-c", "%T", tmp_path]).strip() in (b"tmpfs", b"ramfs"):
        pytest.skip("temporary files are in memory here")
    one = victim("noise", 192, 96)
    assert pidmem("core", *given(engine), "-o", tmp_path / "core", one.pid).code == 0
    told = subprocess.run(["fincore", "-nbo", "res,size", tmp_path / "core"], capture_output=True, check=True).stdout
    cached, size = map(int, told.split())
    assert cached <= 64 << 20 < size, told


@pytest.mark.timeout(300)
def test_thread_storm_is_whole(pidmem, victim, tmp_path, engine):
    """Threads come and go: those that were there at the stop are in the core, each once, each with registers."""
    one = victim("storm")
    counts, done = set(), 0
    while done < rounds(15) or (len(counts) == 1 and done < 50):
        done += 1
        report, core = save(pidmem, one.pid, tmp_path / "core", way=engine)
        with core:
            assert len(core.threads) == report["threads"] >= 8
            assert core.threads[0].pid == one.pid
            assert all(thread.pc for thread in core.threads)
            counts.add(report["threads"])
    assert len(counts) > 1, "there was no storm"
    wait_until(held_back, one.pid)
