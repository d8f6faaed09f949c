# SPDX-License-Identifier: LGPL-2.1-or-later
"""How fast find is: beside a dump of the same process, and beside the tools that look for the same."""
import os
import random
import shutil
import subprocess
import tempfile

from measuring import BUILD, PIDMEM, Victim, milliseconds, row, timed

NEEDLE = "157c4a7fb979379e"  # the first word of bench-resident
RULE = "rule needle { strings: $a = { 15 7c 4a 7f b9 79 37 9e } condition: $a }\n"
EXPRESSION = "[0-9]{6}-[a-z]{4}|\\x15\\x7c\\x4a\\x7f\\xb9\\x79\\x37\\x9e"


def speeds(rounds, ours, theirs):
    """How often per second each is done, in turn."""
    return [(1 / timed(*ours)[0], 1 / timed(*theirs, quiet=True)[0]) for _ in range(rounds)]


def per_second(number):
    return f"{number:.2f}/s"


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
    else:
        print("yara is not installed: no row against it")
    lines = os.path.join(folder, "lines")
    rng = random.Random(1)
    with open(lines, "w") as file:
        file.writelines(rng.randbytes(12).hex() + "\n" for _ in range(999))
    yield row("find of 1,000 literals / of one, time",
              [(timed(*literal, "-f", lines)[0], timed(*literal)[0]) for _ in range(rounds)], milliseconds, 3)


def saved(rounds, folder, pid):
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
        yield from saved(min(rounds, 3), folder, str(victim.pid))
