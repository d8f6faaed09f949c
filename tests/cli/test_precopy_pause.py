# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which engine is taken where pre-copy would stop the process for long, and what a limit of the pause does. The forecast
tells: it counts by constants what the last pass copied, and not by the clock."""

import json
import os

import pytest
from conftest import BLIND
from engines import tracking_lacks

pytestmark = pytest.mark.skipif(tracking_lacks() is not None, reason=f"no pre-copy: {tracking_lacks()}")
TRIES = 20  # whoever gets no processor during the last pass writes nothing


def take(pidmem, folder, *args):
    """The reports of the processes."""
    result = pidmem("core", "-j", "--force", *args[:-1], "-o", folder / "core", *args[-1])
    assert result.code in (0, BLIND), result
    return [json.loads(line) for line in result.out.splitlines()]


def take_until(pidmem, folder, reason, *args):
    """The first reports of which one has this reason."""
    for _ in range(TRIES):
        reports = take(pidmem, folder, *args)
        if any(reason in (report["fallback"] or "") for report in reports):
            return reports
    return pytest.fail(f"{TRIES} times not: {reason}; but {reports}")


def check_clone(report):
    assert (report["consistency"], report["engine"]) == ("snapshot", "clone"), report
    assert "not copied while it ran" in report["fallback"], report


def test_without_a_limit_the_better_engine_is_taken(pidmem, victim, tmp_path):
    """Of 48 MiB that are written to all the time the page tables are copied sooner than the pages."""
    one = victim("hot", 48, 48 << 10)
    for report in take_until(pidmem, tmp_path, "it writes faster than it can be copied", [one.pid]):
        check_clone(report)


def test_a_limit_that_the_clone_keeps(pidmem, victim, tmp_path):
    """1.5 MiB are copied in less than 2 ms, for which nobody would leave pre-copy, but not in 0.6 ms. 4 MiB have few
    page tables."""
    one = victim("hot", 4, 1500)
    for report in take_until(pidmem, tmp_path, "longer than allowed", "--max-pause=0.6", [one.pid]):
        check_clone(report)


def test_a_limit_for_several(pidmem, victim, tmp_path):
    """They are stopped together: the sum counts, and whose clone takes less time is cloned."""
    busy, idle = victim("hot", 4, 1500), victim("hot", 4)
    reports = take_until(pidmem, tmp_path, "longer than allowed", "--max-pause=1.2", [busy.pid, idle.pid])
    check_clone(next(report for report in reports if report["target"] == busy.pid))


@pytest.mark.parametrize("engine", ["auto", "clone", "precopy"])
def test_a_limit_that_none_can_keep(pidmem, victim, tmp_path, engine):
    """The figure is the smaller one, and nothing is left behind."""
    one = victim("hot", 64, 1500)
    result = pidmem.fails("core", f"--engine={engine}", "--max-pause=0.1", "-o", tmp_path / "core", one.pid)
    line = result.err.splitlines()[0]
    assert "a pause of 0.1 ms cannot be kept: " in line and line.endswith(" ms can be reached"), result
    # 0.2 ms to stop it; page tables of 64 MiB are copied in 0.7, and looked through, with 1.5 MiB copied, in 1.7.
    assert 0.2 <= float(line.split(": ")[-1].split()[0]) < 5, result
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("engine", ["auto", "clone", "precopy"])
def test_a_limit_that_is_kept(pidmem, victim, tmp_path, engine):
    """No word of a fallback: the engine that was asked for, or pre-copy."""
    one = victim("hot", 4)
    report, = take(pidmem, tmp_path, f"--engine={engine}", "--max-pause=5000", [one.pid])
    assert (report["engine"], report["fallback"]) == ("clone" if engine == "clone" else "precopy", None), report


def test_an_engine_that_is_given_alone_has_to_keep_it(pidmem, victim, tmp_path):
    """The clone could."""
    one = victim("hot", 32, 32 << 10)
    for _ in range(TRIES):
        result = pidmem("core", "--force", "--engine=precopy", "--max-pause=1.2", "-o", tmp_path / "core", one.pid)
        if result.code == 2:
            break
    assert result.code == 2 and "can be reached" in result.err, result
