# SPDX-License-Identifier: LGPL-2.1-or-later
"""Copying where somebody else has all of the processor."""

import os
import resource
import subprocess

import pytest
from core_reader import Core

TRIES = 3
# Passes that make way get one part in thirty; half of the time is had once that is noticed.
TIMES_MOST = 12


def used():
    """Seconds that processors have worked for children of this process, all of which have been waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("mib", [24, 256])
def test_who_makes_way_does_not_wait_for_ever(pidmem, victim, tmp_path, mib):
    """The time it takes does not grow without bound against what it works; and the core is right."""
    one = victim("leave", mib)
    processor = str(min(os.sched_getaffinity(0)))
    least = None
    with subprocess.Popen(["taskset", "-c", processor, "sh", "-c", "echo; while :; do :; done"], stdout=subprocess.PIPE) as busy:
        try:
            busy.stdout.readline()
            for _ in range(TRIES):
                before = used()
                result = pidmem("core", "-j", "--force", "--engine=precopy", "-o", tmp_path / "core", one.pid,
                                before=["taskset", "-c", processor])
                assert result.code == 0 and result.json["engine"] == "precopy", result
                times = result.json["elapsed_us"] / 1e6 / (used() - before)
                least = times if least is None else min(times, least)
                with Core(tmp_path / "core") as core:
                    assert core.check() == []
                    for page in 0, 1000, mib * 256 - 1:
                        assert core.read(one.region + page * 4096, 16) == b"001b:%010x\n" % page
        finally:
            busy.kill()
    assert least < TIMES_MOST
