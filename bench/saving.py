# SPDX-License-Identifier: LGPL-2.1-or-later
"""Benchmarks of writing: to a disk, compressed, of what was never touched, of all sizes, beside a process at work."""
import contextlib
import glob
import os
import shutil
import statistics
import subprocess
import tempfile
import time

from measuring import BUILD, PIDMEM, Victim, available, milliseconds, row, timed

GCORE = "/usr/bin/gcore"
MIB = 1 << 20


def workplace():
    return tempfile.TemporaryDirectory(prefix="pidmem-bench-", dir=os.environ.get("TMPDIR", BUILD))


def resident(mib, pages="small", kind="words"):
    return Victim(os.path.join(BUILD, "bench", "bench-resident"), str(mib), pages, kind)


def cached():
    """The page cache, in bytes."""
    with open("/proc/meminfo") as file:
        return int(dict(line.split(":") for line in file)["Cached"].split()[0]) * 1024


def in_mib(size):
    return f"{size / MIB:.1f} MiB"


def mib_per_second(speed):
    return f"{speed / MIB:.0f} MiB/s"


def seconds(taken):
    return f"{taken:.2f} s"


def gcore_of(pid, output):
    """Seconds; the file is removed."""
    taken = timed(GCORE, "-o", output, str(pid), quiet=True)[0]
    for file in glob.glob(output + ".*"):
        os.unlink(file)
    return taken


def core_of(victim, output, *args, engine="clone"):
    """(seconds, peak memory in bytes) of a core; the file stays."""
    taken, peak = timed(PIDMEM, "core", "-q", "--force", f"--engine={engine}", *args, "-o", output, str(victim.pid))
    return taken, peak * 1024


def size_and_unlink(path):
    """What others leave in the page cache must not be on its way to the disk while we are at work."""
    size = os.stat(path).st_size
    os.unlink(path)
    return size


def dd_direct(output, size):
    """Seconds to write so many bytes past the page cache."""
    taken = timed("dd", "if=/dev/zero", f"of={output}", "bs=4M", "oflag=direct", f"count={max(size >> 22, 1)}",
                  "status=none")[0]
    os.unlink(output)
    return taken


def bench_disk(rounds, mib):
    """To a disk: at most 1.3 times dd past the cache, and without driving others out of the cache."""
    for kind in ("random", "half"):
        disk, cache, peaks = {"precopy": [], "clone": []}, [], []
        with workplace() as folder, resident(mib, kind=kind) as victim:
            output = os.path.join(folder, "core")
            for _ in range(rounds):
                for engine, samples in disk.items():
                    before = cached()
                    taken, peak = core_of(victim, output, engine=engine)
                    cache.append((max(cached() - before, 0), 64 * MIB))
                    peaks.append((peak, 64 * MIB))
                    stored = os.stat(output).st_blocks * 512
                    os.unlink(output)
                    samples.append((taken, dd_direct(output, stored)))
        name = f"core of {mib} MiB, {kind}"
        for engine, samples in disk.items():
            yield row(f"{name}, to a disk ({engine}) / dd oflag=direct of what is stored, time", samples, seconds, 1.3)
        yield row(f"{name}: growth of the page cache / 64 MiB", cache, in_mib, 1.0)
        yield row(f"{name}: peak memory / 64 MiB", peaks, in_mib, 1.0)


def bench_zstd(rounds, mib):
    """-z1 against zstd -1 -T2 on the same bytes in a file: at least 0.9 of its speed, at most 1.03 of its size. What zstd
    writes is in the page cache then, and pidmem writes past it: where nothing can be compressed, a row tells of zstd with
    sync, too."""
    if not shutil.which("zstd"):
        print("zstd is not installed: no rows against it")
        return
    for kind in ("text", "half", "random"):
        speed, synced, sizes, peaks = [], [], [], []
        with workplace() as folder, resident(mib, kind=kind) as victim:
            core, packed = os.path.join(folder, "core"), os.path.join(folder, "packed.zst")
            core_of(victim, core)
            size = os.stat(core).st_size
            timed("cat", core)  # into the page cache, past which it was written
            for _ in range(rounds):
                taken, peak = core_of(victim, packed, "-z1")
                ours = size_and_unlink(packed)
                theirs = timed("zstd", "-1", "-T2", "-q", core, "-o", packed)[0]
                speed.append((size / taken, size / theirs))
                synced.append((size / taken, size / (theirs + timed("sync", packed)[0])))
                sizes.append((ours, size_and_unlink(packed)))
                peaks.append((peak, 128 * MIB))
        name = f"core -z1 of {mib} MiB, {kind}"
        yield row(f"{name} / zstd -1 -T2 of the core, speed", speed, mib_per_second, 0.9, at_least=True)
        if kind == "random":
            yield row(f"{name} / zstd -1 -T2 and sync, speed", synced, mib_per_second, 0.9, at_least=True)
        yield row(f"{name} / the same, size", sizes, in_mib, 1.03)
        yield row(f"{name}: peak memory / 128 MiB", peaks, in_mib, 1.0)


def bench_untouched(_, mib):
    """Of a process that has reserved much and touched 50 MB: a twentieth of gcore's time, and no more than that stored."""
    samples, stored = [], []
    with workplace() as folder, resident(mib, kind="touched") as victim:
        output = os.path.join(folder, "core")
        taken = statistics.median(core_of(victim, output)[0] for _ in range(3))
        stored.append((os.stat(output).st_blocks * 512, 60e6))
        os.unlink(output)
        if os.access(GCORE, os.X_OK):
            samples.append((taken, gcore_of(victim.pid, output)))
    name = f"core of {mib} MiB reserved, 50 MB touched"
    if samples:
        yield row(f"{name} / gdb's gcore, time", samples, seconds, 1 / 20)
    yield row(f"{name}: stored / 60 MB", stored, in_mib, 1.0)


def bench_reserved(rounds, tib):
    """Of the same 50 MB, with little reserved and with much: nothing depends on that."""
    little, much = 64, tib << 20
    with workplace() as folder, resident(little, kind="touched") as one, resident(much, kind="touched") as other:
        output = os.path.join(folder, "core")
        for name, args in ("core", ["core", "--engine=clone", "-o", output]), ("live dump", ["dump", "--consistency=live", "-o", "/dev/null"]):
            command = [PIDMEM, *args, "-q", "--force"]
            samples = [(timed(*command, str(other.pid))[0], timed(*command, str(one.pid))[0]) for _ in range(rounds)]
            yield row(f"{name} of 50 MB, {tib} TiB reserved / {little} MiB reserved, time", samples, milliseconds, 1.25)


def bench_scale(rounds, sizes):
    """The time for each GiB does not depend on how many there are: within 25 percent, largest to least."""
    samples = {size: [] for size in sizes if size < 0.7 * available()}
    for _ in range(max(rounds // 3, 1)):
        for size in samples:
            with resident(size) as victim:
                command = [PIDMEM, "dump", "-q", "--consistency=live", "-o", "/dev/null", str(victim.pid)]
                samples[size].append(min(timed(*command)[0] for _ in range(3)) / size * 1024)
    middle = {size: statistics.median(taken) for size, taken in samples.items()}
    least, most = min(middle, key=middle.get), max(middle, key=middle.get)
    yield row(f"live dump, time for each GiB: of {most} MiB / of {least} MiB", [(middle[most], middle[least])], milliseconds,
              1.25)


# With --nice it takes what is left over, which may be next to nothing: so much of it is enough to see.
NICE_MOST = 10


def working(victim, command):
    """(pages a second that a victim works on while a command runs, its seconds)."""
    before, begun = int(victim.ask("count")), time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        if process.wait(NICE_MOST):
            raise RuntimeError(f"{command}: exit status {process.returncode}")
    taken = time.perf_counter() - begun
    rate = (int(victim.ask("count")) - before) / taken
    if process.poll() is None:
        process.terminate()
    process.wait()
    return rate, taken


def bench_nice(rounds, mib):
    """What a process at work gets done while it is saved: with --nice at least 0.8 of what it does otherwise. What it is
    without, and with a peer, is there to compare."""
    rows = {"core --nice": [], "core": []}
    with workplace() as folder, Victim(os.path.join(BUILD, "bench", "bench-work"), str(mib)) as victim:
        output = os.path.join(folder, "core")
        for _ in range(min(rounds, 5)):
            for name, samples in rows.items():
                command = [PIDMEM, *name.split(), "-q", "--force", "--engine=clone", "-o", output, str(victim.pid)]
                rate, taken = working(victim, command)
                samples.append((rate, working(victim, ["sleep", str(min(taken, 5))])[0]))
        gcores = []
        if os.access(GCORE, os.X_OK):
            rate, taken = working(victim, [GCORE, "-o", output, str(victim.pid)])
            gcores.append((rate, working(victim, ["sleep", str(min(taken, 5))])[0]))
    for name, samples in {**rows, "gdb's gcore": gcores}.items():
        if samples:
            yield row(f"work done by {mib} MiB during {name} / undisturbed", samples, lambda x: f"{x / 1000:.0f} k/s",
                      0.8 if "--nice" in name else 0, at_least=True)
