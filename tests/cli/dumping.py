# SPDX-License-Identifier: LGPL-2.1-or-later
"""Take a dump and hold it to the contract: report, account, index, file."""

import os
import stat

from conftest import check_account
from dump_reader import Dump

REPORT = {"pidmem", "command", "target", "output", "format", "consistency", "engine", "fallback", "pause_us", "threads",
          "account", "holes", "size", "elapsed_us"}


def take(pidmem, pid, folder, *args, code=0, name="dump", consistency="live", **options):
    """Dump a process into folder/name; returns the report and the open Dump."""
    path = folder / name
    result = pidmem("dump", "-j", f"--consistency={consistency}", *args, "-o", path, pid, cwd=folder, **options)
    assert result.code == code, result
    report = result.json
    assert report.keys() >= REPORT, REPORT - report.keys()
    assert (report["pidmem"], report["command"], report["consistency"]) == (1, "dump", consistency), report
    # Where pre-copy is not possible, as of memory that is in swap, the other engine says so.
    assert report["engine"] in (["precopy", "clone"] if consistency == "snapshot" else [None]), report
    assert (report["fallback"] is None) == (report["engine"] != "clone"), report
    assert (report["pause_us"] == 0) == (consistency == "live"), report
    check_account(report["account"])
    dump = Dump(path)
    assert dump.check(report["account"]) == []
    check_holes(report, dump)
    check_files(report, path)
    return report, dump


def check_holes(report, dump):
    """`holes` lists exactly the ranges without content or unreadable."""
    told = merge((int(hole["start"], 16), int(hole["end"], 16), hole["class"], hole["why"])
                 for hole in report["holes"])
    index = merge((record.start, record.end, record.cls, record.why) for record in dump.records
                  if record.cls in ("no_content", "unreadable"))
    assert told == index


def merge(ranges):
    merged = []
    for start, end, cls, why in ranges:
        if merged and merged[-1][1:] == (start, cls, why):
            merged[-1] = (merged[-1][0], end, cls, why)
        else:
            merged.append((start, end, cls, why))
    return merged


def check_files(report, path):
    for file in (path, path.with_name(path.name + ".index")):
        status = os.lstat(file)
        assert stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o600, file
    size, told = os.stat(path), report["size"]
    assert told["apparent"] == size.st_size
    # A file system may count blocks of its own, and only when it has written them.
    assert abs(told["on_disk"] - size.st_blocks * 512) <= 128 * 1024, (told, size)
    left = {entry.name for entry in path.parent.iterdir() if path.name in entry.name}
    assert left == {path.name, path.name + ".index"}, "something is left beside the dump"
