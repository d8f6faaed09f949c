# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is told to whoever asks for too short a pause can be kept: it is not far from what the stop really takes, of
processes with whatever makes that long. Other programs make stops longer, never shorter: the quickest one counts."""

import statistics

import pytest
from engines import given
from freezing import SANITIZED, rounds, save

pytestmark = pytest.mark.skipif(SANITIZED, reason="with a sanitizer all takes several times as long")

VICTIMS = {"idle": ["plain"], "threads": ["threads", 200], "mappings": ["many", 2000], "writer": ["order"],
           "page tables": ["heavy", "dense", 256]}


def told(pidmem, folder, engine, pid):
    """In ms."""
    result = pidmem.fails("core", *given(engine), "--max-pause=0.001", "-o", folder / "core", pid)
    line = result.err.splitlines()[0]
    assert "cannot be kept: " in line and line.endswith(" ms can be reached"), result
    return float(line.split(": ")[-1].split()[0])


@pytest.mark.parametrize("name", VICTIMS)
def test_what_can_be_reached(pidmem, victim, tmp_path, name, engine):
    one = victim(*VICTIMS[name])
    foretold, real = [], []
    for _ in range(max(6, rounds(12))):
        foretold.append(told(pidmem, tmp_path, engine, one.pid))
        report, file = save(pidmem, one.pid, tmp_path / "saved", way=engine)
        file.close()
        real.append(report["pause_us"] / 1000)
    middle = statistics.median(foretold)
    assert middle / 5 <= min(real) <= 10 * middle, (sorted(foretold), sorted(real))
