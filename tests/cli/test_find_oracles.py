# SPDX-License-Identifier: LGPL-2.1-or-later
"""find against GNU grep, pcre2grep and yara, which look into the raw dump of the same program as into any file."""

import bisect
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
from conftest import Pidmem
from finding import find
from freezing import SANITIZED
from programs import NODE, PYTHON, Program, java_program, need, put_keys, redis_server

# Sanitizers see the same code with smaller targets, in test_find.py and others.
pytestmark = pytest.mark.skipif(SANITIZED, reason="what is found does not depend on a sanitizer, and it takes long")

RULES = r"""
rule words { strings: $text = "value-" $wide = "value" wide $any = "LiNuX" nocase $word = "lib" fullword
             condition: any of them }
rule bytes { strings: $elf = { 7f 45 4c 46 ?? 01 } $gap = { 2f 6c 69 62 [1-40] 2e 73 6f } $alt = { 73 ( 6f | 65 74 ) 00 }
             $far = { 47 4c 49 42 43 [200-800] 47 4c 49 42 43 } condition: any of them }
rule expressions { strings: $a = /[a-z]{3,9}_[a-z]+\.c/ $b = /GLIBC_2\.[0-9]+/ condition: $a and #b > 3 }
rule absent { strings: $a = "value-" condition: #a < 0 }
"""
# Each begins where it can begin in one way only: what is at a seam of the dump changes nothing further on.
EXPRESSIONS = [r"(?<![a-z_])[a-z]{2,9}_[a-z]{1,9}\.[ch]", r"GLIBC_2\.[0-9]{1,3}", r"(?i)/lib[0-9a-z.+-]{1,30}\.so"]
LONGEST = 64
MOST_TOLD = 512  # by the yara command, of a match


class Saved:
    """A program that stands still, and files of it."""

    def __init__(self, pidmem, pid, folder, text):
        self.text, self.raw = text, folder / "raw"
        self.targets = [pid, self.raw, folder / "core.zst"]
        assert pidmem("dump", "-o", self.raw, pid).code == 0
        assert pidmem("core", "-a", "-z1", "-o", folder / "core.zst", pid).code == 0
        self.runs = []  # (offset in the file, address, end): what is contiguous in both
        with open(f"{self.raw}.index", encoding="utf-8") as index:
            for line in map(json.loads, index):
                self.add(line)

    def add(self, line):
        if "offset" not in line:
            return
        offset, start, end = line["offset"], int(line["start"], 16), int(line["end"], 16)
        if self.runs and self.runs[-1][2] == start and self.runs[-1][0] + start - self.runs[-1][1] == offset:
            offset, start = self.runs.pop()[:2]
        self.runs.append((offset, start, end))

    def address(self, at, size, margin=0):
        """Of what stands at an offset of the file; None over a seam, or closer to one than the margin."""
        offset, start, end = self.runs[bisect.bisect_right(self.runs, (at, 2**64)) - 1]
        inside = at - offset >= margin and at - offset + size + margin <= end - start
        return start + at - offset if inside else None

    def is_inside(self, address, size, margin):
        return any(start + margin <= address and address + size + margin <= end for _, start, end in self.runs)


@contextlib.contextmanager
def started(name, folder):
    """A program in use, and a text that is in it many times."""
    if name == "redis":
        with redis_server(folder) as (redis, client):
            put_keys(client, 5000, b"value-%d")
            yield redis, "value-4"
        return
    arguments, text = {"python": lambda: (["/usr/bin/python3", "-c", PYTHON], "python-object-1"),
                       "node": lambda: ([need("node", "nodejs"), "-e", NODE], "node-buffer-1"),
                       "java": lambda: (java_program(folder), "java-array-1")}[name]()
    with Program(arguments) as program:
        program.wait_for(b"ready")
        yield program, text


@pytest.fixture(scope="module", params=["redis", "python", "node", "java"])
def saved(request, public_build):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pidmem-test-"))
    try:
        with started(request.param, folder) as (program, text):
            program.stop()
            yield Saved(Pidmem(public_build), program.pid, folder, text)
    finally:
        shutil.rmtree(folder)


def lines_of(*command):
    return subprocess.run(command, capture_output=True, check=True, env={**os.environ, "LC_ALL": "C"}).stdout.splitlines()


def compare(pidmem, saved, wanted, *args):
    """(address, bytes) on all targets, away from seams: what is there was looked at as if it went on."""
    assert len(wanted) > 3
    for target in saved.targets:
        found = find(pidmem, target, *args, timeout=100)
        told = {(address, bytes.fromhex(match["bytes"])) for address, match in zip(found.addresses, found.matches)
                if saved.is_inside(address, match["length"], LONGEST)}
        assert told == wanted, (target, args, sorted(told ^ wanted)[:9])


def test_grep(pidmem, saved):
    """grep -abo: a text, and expressions."""
    for kind, pattern in [("-F", saved.text), *(("-P", expression) for expression in EXPRESSIONS)]:
        wanted = set()
        for line in lines_of("grep", "-abo", kind, pattern, saved.raw):
            at, text = line.split(b":", 1)
            address = saved.address(int(at), len(text), LONGEST)
            wanted |= {(address, text)} if address else set()
        compare(pidmem, saved, wanted, *(["-e"] if kind == "-P" else []), pattern)


def test_pcre2grep(pidmem, saved):
    """Lines may be long in memory."""
    data = saved.raw.read_bytes()
    for pattern in EXPRESSIONS:
        wanted = set()
        for line in lines_of(need("pcre2grep"), "-a", "--file-offsets", "--buffer-size=128M", pattern, saved.raw):
            at, size = map(int, line.split(b","))
            address = saved.address(at, size, LONGEST)
            wanted |= {(address, data[at:at + size])} if address else set()
        compare(pidmem, saved, wanted, "-e", pattern)


def yara_matches(saved, rules):
    """(address, size, pattern), but for what lies over a seam."""
    matches, name = set(), None
    for line in lines_of(need("yara"), "-w", "-s", "-L", rules, saved.raw):
        match = re.match(rb"0x([0-9a-f]+):(\d+):(\$\w+): ", line)
        if not match:
            name = line.split()[0].decode()
            continue
        size = int(match[2])
        address = saved.address(int(match[1], 16), size)
        matches |= {(address, size, f"{name}:{match[3].decode()}")} if address else set()
    return matches


def test_yara(pidmem, saved, tmp_path):
    if "without YARA" in pidmem("find", "self", "-y", "/dev/null").err:
        pytest.skip("pidmem was built without libyara")
    (tmp_path / "rules").write_text(RULES)
    wanted = yara_matches(saved, tmp_path / "rules")
    patterns = {pattern for *_, pattern in wanted}
    assert len(wanted) > 500 and {"words:$any", "bytes:$elf", "bytes:$far", "expressions:$a"} <= patterns, patterns
    for target in saved.targets:
        found = find(pidmem, target, "-y", tmp_path / "rules", timeout=100)
        told = {(int(match["address"], 16), min(match["length"], MOST_TOLD), match["pattern"]) for match in found.matches}
        assert told == wanted, (target, sorted(told ^ wanted)[:9])
