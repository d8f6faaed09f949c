# SPDX-License-Identifier: LGPL-2.1-or-later
"""Benchmarks against others that write cores of running processes, in turn, on the same disk."""
import contextlib
import glob
import os
import resource
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from measuring import BUILD, PIDMEM, Victim, row, timed
from plot import bars

VICTIM = os.path.join(BUILD, "bench", "bench-resident")


def seconds(taken):
    return f"{taken:.2f} s"


def remove(folder):
    """What they have written; how many bytes that took on the disk."""
    stored = 0
    for path in glob.glob(os.path.join(folder, "*")):
        stored += os.stat(path).st_blocks * 512
        os.unlink(path)
    return stored


class Peer:
    """`take(pid, folder)` writes a core of a process and returns seconds; `lacks` says why it cannot. `most`: the part of
    its time that pidmem may take."""

    def __init__(self, name, take, lacks, most=1 / 3):
        self.name, self.take, self.lacks, self.most = name, take, lacks, most


def by_gcore(pid, folder):
    return timed("/usr/bin/gcore", "-o", os.path.join(folder, "core"), str(pid), quiet=True)[0]


def by_procdump(pid, folder):
    """One dump, without a condition: it looks once in a second, so that it is part of what it takes."""
    begun = time.perf_counter()
    subprocess.run(["procdump", "-n", "1", "-s", "1", "-o", os.path.join(folder, "core"), "-p", str(pid)], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


def by_lldb(pid, folder):
    return timed("lldb", "--batch", "-p", str(pid), "-o", f"process save-core {folder}/core", quiet=True)[0]


def by_kernel(pid, folder):
    """SIGQUIT ends the process, and waiting for it is waiting for its core; it was started in the folder."""
    begun = time.perf_counter()
    os.kill(pid, signal.SIGQUIT)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return time.perf_counter() - begun


def cores_of_the_kernel():
    """Why none come into the directory of the process; the machine's setting stays as it is."""
    with open("/proc/sys/kernel/core_pattern") as file:
        pattern = file.read().strip()
    if not pattern or "/" in pattern or pattern[0] == "|":
        return f"core_pattern is {pattern!r}"
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
        return "ulimit -H -c is not unlimited"
    return None


def find_peers(folder):
    """All, with what keeps some from running here; lldb is asked for a small core, since most versions write none."""
    def missing(program, path=None):
        return None if shutil.which(program, path=path) else "it is not installed"

    lldb = missing("lldb")
    if not lldb:
        with victim(16, "small", "words", folder) as one, contextlib.suppress(RuntimeError):
            by_lldb(one.pid, folder)
        lldb = None if remove(folder) > 16 << 20 else "this version cannot save cores of processes on Linux"
    gcore = missing("gcore", "/usr/bin")
    return [Peer("gdb's gcore", by_gcore, gcore), Peer("procdump", by_procdump, gcore or missing("procdump")),
            Peer("lldb's process save-core", by_lldb, lldb), Peer("the kernel's core by SIGQUIT", by_kernel, cores_of_the_kernel(),
                 most=1)]


def victim(mib, pages, kind, folder):
    """In the folder, and allowed to leave a core there."""
    def allow():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # shells let what runs in the background ignore it
        os.chdir(folder)

    return Victim(VICTIM, str(mib), pages, kind, preexec_fn=allow)


def by_pidmem(pid, folder):
    return timed(PIDMEM, "core", "-q", "-o", os.path.join(folder, "core"), str(pid))[0]


def bench_peers(_, plan):
    """The whole time of `core`, with its default engine, against all peers: at most a third of them, and of the kernel's as much."""
    rounds, victims, svg = plan
    drawn = {}
    with tempfile.TemporaryDirectory(prefix="pidmem-bench-", dir=os.environ.get("TMPDIR", BUILD)) as folder:
        peers = find_peers(folder)
        for peer in peers:
            if peer.lacks:
                print(f"no rows against {peer.name}: {peer.lacks}")
        peers = [peer for peer in peers if not peer.lacks]
        for mib, pages, kind in victims:
            samples = {peer.name: [] for peer in peers}
            for _ in range(rounds):
                with victim(mib, pages, kind, folder) as one:  # anew: the kernel's core ends it, so it is the last
                    for peer in peers:
                        ours = by_pidmem(one.pid, folder)
                        remove(folder)
                        samples[peer.name].append((ours, peer.take(one.pid, folder)))
                        if remove(folder) < mib << 18:
                            raise RuntimeError(f"{peer.name} has written no core")
            name = f"core of {mib} MiB, {kind}, {'huge' if pages == 'huge' else '4 KiB'} pages"
            for peer in peers:
                yield row(f"{name} / {peer.name}, time", samples[peer.name], seconds, peer.most)
            every = [ours for pairs in samples.values() for ours, _ in pairs]
            drawn[name] = {"pidmem": statistics.median(every),
                           **{name: statistics.median(taken for _, taken in pairs) for name, pairs in samples.items()}} if every else {}
    if any(drawn.values()):
        bars(svg, "Seconds to write a core", drawn, seconds)
