# SPDX-License-Identifier: LGPL-2.1-or-later
"""What all benchmarks use: victims, times, rows of results."""
import os
import statistics
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
PIDMEM = os.path.join(BUILD, "pidmem")


class Victim:
    """A process that prints facts and `ready`, and ends when its standard input does."""

    def __init__(self, *command, **options):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)
        self.facts = {}
        for line in self.process.stdout:
            if line.strip() == "ready":
                break
            key, _, value = line.strip().partition("=")
            self.facts[key] = value
        if self.process.poll() is not None or "skip" in self.facts:
            raise RuntimeError(f"{command[0]}: {self.facts.get('skip', 'ended')}")
        self.pid = self.process.pid

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def grown(self):
        """Its own memory and page tables, in KiB."""
        with open(f"/proc/{self.pid}/status") as status:
            told = dict(line.split(":") for line in status)
        return sum(int(told[key].split()[0]) for key in ("RssAnon", "RssShmem", "VmPTE"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def timed(*command, quiet=False):
    """Seconds and peak memory in KiB of one whole command, its output thrown away."""
    with open(os.devnull, "w") as null:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=null, stderr=null if quiet else None)
        _, status, usage = os.wait4(process.pid, 0)
        taken = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command}: exit status {process.returncode}")
    return taken, usage.ru_maxrss


def median_of(repeat, *command):
    """For short commands: the median of several runs, as one sample."""
    return statistics.median(timed(*command)[0] for _ in range(repeat))


def available():
    """MiB of memory that are free for victims."""
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("MemAvailable")) >> 10


# A hypervisor that takes a processor away does so for some milliseconds at a time. It is told in units of 10 ms: not each
# time is seen, and after so many tries the last one counts.
TRIES = 5


def stolen():
    """For how many ticks a hypervisor has taken processors away (proc_stat(5))."""
    with open("/proc/stat") as file:
        return int(file.readline().split()[8])


def unstolen(measure):
    """What a measurement of pauses gives: again where the hypervisor took processors away meanwhile, a few times."""
    for _ in range(TRIES):
        before = stolen()
        result = measure()
        if stolen() == before:
            break
    return result


def milliseconds(seconds):
    return f"{seconds * 1e3:.2f} ms"


def row(name, samples, show, target, at_least=False, least=None):
    """`least`: the ratio must not be less either."""
    ratios = [ours / theirs for ours, theirs in samples]
    middle = statistics.median(ratios)
    limit = f"1/{1 / target:.0f}" if 0 < target < 0.2 or target == 1 / 3 else target
    return {
        "name": name,
        "pidmem": show(statistics.median(ours for ours, _ in samples)),
        "yardstick": show(statistics.median(theirs for _, theirs in samples)),
        "ratio": round(middle, 5),
        "least": round(min(ratios), 5),
        "greatest": round(max(ratios), 5),
        "target": f"{least}-{target}" if least else ("≥ " if at_least else "≤ ") + str(limit),
        "met": middle >= target if at_least else (least or middle) <= middle <= target,
        "rounds": len(samples),
    }
