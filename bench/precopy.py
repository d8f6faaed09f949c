# SPDX-License-Identifier: LGPL-2.1-or-later
"""Benchmarks of the pre-copy engine: of a process that writes 200 MiB/s, of its growth with the memory, of a redis at work."""
import glob
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from measuring import BUILD, PIDMEM, Victim, available, milliseconds, row, timed, unstolen
from plot import plot

GCORE = "/usr/bin/gcore"


def workplace():
    return tempfile.TemporaryDirectory(prefix="pidmem-bench-", dir=os.environ.get("TMPDIR", BUILD))


def core_of(pid, output, engine, watch=None):
    """(report, seconds of the whole command); watch() is called now and then meanwhile."""
    begun = time.perf_counter()
    with subprocess.Popen([PIDMEM, "core", "-j", "-q", "--force", "--consistency=snapshot", f"--engine={engine}", "-o",
                           output, str(pid)], stdout=subprocess.PIPE) as process:
        while watch and process.poll() is None:
            watch()
            time.sleep(0.005)
        report = json.loads(process.stdout.read())
    taken = time.perf_counter() - begun
    os.unlink(output)
    return report, taken


def gcore_of(pid, output):
    timed(GCORE, "-o", output, str(pid), quiet=True)
    for file in glob.glob(output + ".*"):
        os.unlink(file)


def heartbeat(mib, rate):
    return Victim(os.path.join(BUILD, "bench", "bench-heartbeat"), str(mib), "small", "0", str(rate))


def gap(victim):
    return int(victim.ask("gap")) / 1e9


def paused(victim, save):
    """(what a save gives, the longest gap meanwhile)."""

    def measure():
        victim.ask("reset")
        return save(), gap(victim)

    return unstolen(measure)


def bench_precopy(rounds, sizes):
    """The pause is a small part of a fork's; the whole is hardly slower than with the clone; the target does not grow."""
    mib, rate, gcore_rounds = sizes
    forks, gcores, wholes, growth, told = [], [], [], [], []
    with workplace() as folder, heartbeat(mib, rate) as victim:
        output = os.path.join(folder, "core")
        for i in range(rounds):
            fork = unstolen(lambda: int(victim.ask("fork")) / 1e9)
            before, most = victim.grown(), [0]

            def watch(before=before, most=most):
                most[0] = max(most[0], victim.grown() - before)

            (report, taken), pause = paused(victim, lambda watch=watch: core_of(victim.pid, output, "precopy", watch))
            watch()
            _, clone_taken = unstolen(lambda: core_of(victim.pid, output, "clone"))
            forks.append((pause, fork))
            told.append((report["pause_us"] / 1e6, pause))
            wholes.append((taken, clone_taken))
            growth.append((most[0], mib * 1024))
            if os.access(GCORE, os.X_OK) and i < gcore_rounds:
                gcores.append((pause, paused(victim, lambda: gcore_of(victim.pid, output))[1]))
    name = f"pre-copy, {mib} MiB, {rate} MiB/s written"
    yield row(f"{name}: pause / bare fork()", forks, milliseconds, 0.1)
    if gcores:
        yield row(f"{name}: pause / gdb's gcore", gcores, milliseconds, 1 / 500)
    yield row(f"{name}: whole time / clone engine", wholes, milliseconds, 1.2)
    yield row(f"{name}: pause_us / heartbeat", told, milliseconds, 1.2, least=0.8)
    yield row(f"{name}: target's growth / resident", growth, lambda kib: f"{kib:.0f} KiB", 0.01)


def bench_growth(rounds, sizes):
    """How the pause grows with the memory: at most 1 ms for each GiB. Drawn as a plot."""
    mibs, rate, drawing = sizes
    pauses, forks = {}, {}
    for mib in mibs:
        if mib > 0.7 * available():
            print(f"{mib} MiB are too much for this machine: left out of the plot")
            continue
        with workplace() as folder, heartbeat(mib, rate) as victim:
            for _ in range(min(rounds, 5)):
                forks.setdefault(mib, []).append(unstolen(lambda victim=victim: int(victim.ask("fork"))) / 1e6)
                _, pause = paused(victim, lambda: core_of(victim.pid, os.path.join(folder, "core"), "precopy"))
                pauses.setdefault(mib, []).append(pause * 1e3)
    if len(pauses) < 2:
        return
    least, most = min(pauses), max(pauses)
    slopes = [((more - less) / (most - least) * 1024 / 1e3, 1e-3) for less, more in zip(pauses[least], pauses[most])]
    plot(drawing, f"Pause for a core, {rate} MiB/s written", "resident memory, GiB", "milliseconds (medians)",
         {"pidmem, pre-copy": {mib / 1024: statistics.median(all_) for mib, all_ in pauses.items()},
          "a bare fork()": {mib / 1024: statistics.median(all_) for mib, all_ in forks.items()}})
    print(f"drawn: {drawing}")
    yield row(f"pre-copy, growth of the pause {least} to {most} MiB / 1 ms per GiB", slopes, milliseconds, 1.0)


class Redis:
    """A redis with so many keys of 900 bytes, and its clients."""

    def __init__(self, folder, keys):
        self.path = os.path.join(folder, "s")
        self.server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", self.path, "--save", "", "--dir",
                                        folder, "--appendonly", "no", "--enable-debug-command", "yes"],
                                       stdout=subprocess.DEVNULL)
        self.populate(keys)
        self.load = subprocess.Popen(["redis-benchmark", "-s", self.path, "-l", "-q", "-c", "2", "-r", str(keys), "-d", "900",
                                      "--dbnum", "1", "-t", "set"], stdout=subprocess.DEVNULL)
        self.client = Victim(os.path.join(BUILD, "bench", "bench-latency"), self.path, str(keys))

    def populate(self, keys):
        with socket.socket(socket.AF_UNIX) as control:
            while control.connect_ex(self.path):
                time.sleep(0.01)
            control.sendall(b"DEBUG POPULATE %d key 900\r\n" % keys)
            control.recv(64)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.__exit__()
        for process in (self.load, self.server):
            process.terminate()
            process.wait()

    def during(self, work):
        """(99.9th percentile, longest) of the requests while that is done, in seconds; what that took."""

        def measure():
            self.client.ask("reset")
            begun = time.perf_counter()
            work()
            taken = time.perf_counter() - begun
            _, _, high, longest = map(int, self.client.ask("report").split())
            return high / 1e9, longest / 1e9, taken

        return unstolen(measure)


def bench_redis(rounds, sizes):
    """Its clients hardly notice."""
    keys, gcore_rounds = sizes
    if not shutil.which("redis-server"):
        print("redis is not installed: no rows of it")
        return
    highs, longests, clones = [], [], []
    with workplace() as folder, Redis(folder, keys) as redis:
        output, pid = os.path.join(folder, "core"), redis.server.pid
        for i in range(rounds):
            high, longest, taken = redis.during(lambda: core_of(pid, output, "precopy"))
            undisturbed, _, _ = redis.during(lambda taken=taken: time.sleep(taken))
            highs.append((high, undisturbed))
            clones.append((longest, redis.during(lambda: core_of(pid, output, "clone"))[1]))
            if os.access(GCORE, os.X_OK) and i < gcore_rounds:
                longests.append((longest, redis.during(lambda: gcore_of(pid, output))[1]))
    name = f"redis, {keys} keys, during pre-copy"
    yield row(f"{name}: 99.9th percentile / undisturbed", highs, milliseconds, 3)
    if longests:
        yield row(f"{name}: longest request / during gdb's gcore", longests, milliseconds, 1 / 50)
    yield row(f"{name}: longest request / during clone", clones, milliseconds, 1)
