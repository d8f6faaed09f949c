# SPDX-License-Identifier: LGPL-2.1-or-later
"""How fast find is: beside a dump of the same process, and beside the tools that look for the same."""
import os
import random
import shutil
import subprocess
import tempfile

from measuring import BUILD, PIDMEM, Victim, median_of, milliseconds, row, timed

NEEDLE = "157c4a7fb979379e"  # the first word of bench-resident
RULE = "rule needle { strings: $a = { 15 7c 4a 7f b9 79 37 9e } condition: $a }\n"
PREFIXED = "\\x15\\x7c\\x4a\\x7f[\\x70-\\xbf]{2}\\x37\\x9e"
EXPRESSION = "[0-9]{6}-[a-z]{4}|\\x15\\x7c\\x4a\\x7f\\xb9\\x79\\x37\\x9e"


def speeds(rounds, ours, theirs):
    """How often per second each is done, in turn."""
    return [(1 / timed(*ours)[0], 1 / timed(*theirs, quiet=True)[0]) for _ in range(rounds)]


def per_second(number):
    return f"{number:.2f}/s"


def gibibytes(speed):
    return f"{speed / 2**30:.2f} GiB/s"


def bandwidth(rounds, mib, *command):
    """Bytes a second, against 1.5 GiB/s."""
    return [(mib * 2**20 / timed(*command)[0], 1.5 * 2**30) for _ in range(rounds)]


def live(rounds, mib, folder, pid):
    """The process itself, against a dump and against yara."""
    literal = [PIDMEM, "find", "-q", pid, "-x", NEEDLE]
    yield row(f"find of a literal in {mib} MiB / dump to /dev/null, speed",
              speeds(rounds, literal, [PIDMEM, "dump", "-q", "--consistency=live", pid, "-o", "/dev/null"]), per_second, 0.8,
              at_least=True)
    if shutil.which("yara"):
        rule = os.path.join(folder, "rule")
        with open(rule, "w") as file:
            file.write(RULE)
        yield row("the same / yara on the same process, speed", speeds(min(rounds, 3), literal, ["yara", rule, pid]),
                  per_second, 5, at_least=True)
        yield row("find -y of a rule / yara on the same process, speed",
                  speeds(min(rounds, 3), [PIDMEM, "find", "-q", pid, "-y", rule], ["yara", rule, pid]), per_second, 1,
                  at_least=True)
    else:
        print("yara is not installed: no row against it")
    lines = os.path.join(folder, "lines")
    rng = random.Random(1)
    with open(lines, "w") as file:
        file.writelines(rng.randbytes(12).hex() + "\n" for _ in range(999))
    yield row("find of 1,000 literals / of one, time",
              [(timed(*literal, "-f", lines)[0], timed(*literal)[0]) for _ in range(rounds)], milliseconds, 3)
    yield row("find of an expression with a literal prefix / 1.5 GiB/s",
              bandwidth(rounds, mib, PIDMEM, "find", "-q", pid, "-e", PREFIXED), gibibytes, 1, at_least=True)


def refined(rounds, folder, million):
    """Ten million candidates, narrowed once; of scanmem a search and one narrowing, less a search."""
    if not shutil.which("scanmem"):
        print("scanmem is not installed: no row against it")
        return
    first, second = os.path.join(folder, "first"), os.path.join(folder, "second")
    times, peaks = [], []
    with Victim(os.path.join(BUILD, "bench", "bench-resident"), str(million * 4), "small", "sevens") as victim:
        pid = str(victim.pid)
        values = [pid, "-q", "-l", "0", "-t", "i32", "7", "--force"]
        timed(PIDMEM, "find", *values, "--save", first)
        for _ in range(rounds):
            ours = timed(PIDMEM, "find", *values, "--in", first, "--save", second)
            once = timed("scanmem", "-p", pid, "-c", "option scan_data_type int32;7;exit", quiet=True)
            twice = timed("scanmem", "-p", pid, "-c", "option scan_data_type int32;7;7;exit", quiet=True)
            times.append((ours[0], twice[0] - once[0]))
            peaks.append((ours[1], twice[1]))
    yield row(f"refine of {million} Mi candidates / scanmem, time", times, milliseconds, 1 / 3)
    yield row("the same, peak memory", peaks, lambda kib: f"{kib / 1024:.1f} MiB", 1 / 3)


def strings(rounds, mib):
    """All that reads as text, where almost nothing does, and where all does."""
    for kind in ("random", "text"):
        with Victim(os.path.join(BUILD, "bench", "bench-resident"), str(mib), "small", kind) as victim:
            yield row(f"strings of 16 characters in {mib} MiB of {kind} / 1.5 GiB/s",
                      bandwidth(rounds, mib, PIDMEM, "find", "-q", "--strings=16", str(victim.pid)), gibibytes, 1,
                      at_least=True)


def saved(rounds, folder, pid, address):
    """Files of it: a raw dump against pcre2grep, a compressed core against zstd and grep."""
    raw, core = os.path.join(folder, "raw"), os.path.join(folder, "core")
    timed(PIDMEM, "dump", "-q", "-o", raw, pid)
    if shutil.which("pcre2grep"):
        yield row("find of an expression / pcre2grep -c of the same bytes, speed",
                  speeds(rounds, [PIDMEM, "find", "-q", pid, "-e", EXPRESSION],
                         ["pcre2grep", "--buffer-size=64M", "-ac", EXPRESSION, raw]), per_second, 0.5, at_least=True)
    else:
        print("pcre2grep is not installed: no row against it")
    os.unlink(raw)
    if not shutil.which("zstd"):
        print("zstd is not installed: no row against it")
        return
    timed(PIDMEM, "core", "-q", "-o", core, pid)
    timed(PIDMEM, "core", "-q", "-z", "-o", core + ".own.zst", pid)
    read = [hex(int(address, 16) + 2**20 * 100 + 4096), "4096"]
    yield row("read of one page from a compressed core / from the plain one, time",
              [(median_of(5, PIDMEM, "read", core + ".own.zst", *read), median_of(5, PIDMEM, "read", core, *read))
               for _ in range(rounds)], milliseconds, 10)
    subprocess.run(["zstd", "-q", "-1", core], check=True)
    yield row("find in a compressed core / zstd -dc | grep -c, speed",
              speeds(rounds, [PIDMEM, "find", "-q", core + ".zst", "-x", NEEDLE],
                     ["sh", "-c", f"zstd -dc {core}.zst | LC_ALL=C grep -caP '\\x15\\x7c\\x4a\\x7f\\xb9\\x79\\x37\\x9e'"]),
              per_second, 0.8, at_least=True)


def bench_find(rounds, mib):
    """Looking for something, live and in files."""
    with tempfile.TemporaryDirectory(prefix="pidmem-bench-", dir=os.environ.get("TMPDIR", BUILD)) as folder, \
            Victim(os.path.join(BUILD, "bench", "bench-resident"), str(mib)) as victim:
        yield from live(rounds, mib, folder, str(victim.pid))
        yield from saved(min(rounds, 3), folder, str(victim.pid), victim.facts["region"])
    with tempfile.TemporaryDirectory(prefix="pidmem-bench-", dir=os.environ.get("TMPDIR", BUILD)) as folder:
        yield from refined(min(rounds, 3), folder, 10)
    yield from strings(min(rounds, 3), min(mib, 1024))
