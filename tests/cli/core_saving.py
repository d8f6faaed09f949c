# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of `core` have in common."""

import os
import stat

from conftest import PAGE, pattern
from core_reader import Core


def check_core(path, one):
    """It is a whole core of this victim (`plain` or `leave`)."""
    assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600
    with Core(path) as core:
        assert core.check() == []
        assert core.threads[0].pid == one.pid
        if "bytes" in one.facts:
            assert core.read(one.bytes + 3 * PAGE, PAGE) == pattern(1, 1, first=3)


def stops(pid):
    """How often the first thread was put to sleep and woken: each stop counts. The victims sleep all the time, and from
    proc(5) `syscall` is known that this one does now, and is not just about to."""
    while True:
        with open(f"/proc/{pid}/syscall") as file:
            if not file.read().startswith("running"):
                break
    with open(f"/proc/{pid}/status") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith(("voluntary", "nonvoluntary")))
