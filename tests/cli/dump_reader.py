# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads a raw dump, FILE and FILE.index, by the contract alone, and tells where they break it."""

import bisect
import json
import os
from dataclasses import dataclass

from saved_file import SavedFile

BIG = 1 << 20  # zero ranges from this size on take no room in the file


@dataclass
class Record:
    start: int
    end: int
    offset: int | None
    perms: str
    path: str
    zero: bool
    why: str | None
    cls: str | None
    line: dict

    @property
    def size(self):
        return self.end - self.start


class Dump(SavedFile):
    def __init__(self, path, index=None):
        with open(index or os.fspath(path) + ".index", "rb") as lines:
            self.lines = [json.loads(line) for line in lines]
        self.records = [Record(int(line["start"], 16), int(line["end"], 16), line.get("offset"), line.get("perms"),
                               line.get("path"), line.get("zero", False), line.get("why"), line.get("class"), line)
                        for line in self.lines]
        self.tell(self.records)
        self.open(path)

    def overlapping(self, start, end):
        first = max(bisect.bisect_right(self.starts, start) - 1, 0)
        for record in self.records[first:]:
            if record.start >= end:
                break
            if record.end > start:
                yield record

    @staticmethod
    def place(record, address):
        """Where the byte at an address is in the file, or None for zeros, and how many follow in the range."""
        inside = address - record.start
        if record.zero:
            return None, record.size - inside
        return (None, 0) if record.offset is None else (record.offset + inside, record.size - inside)

    def explained(self, start, end):
        """The set of (class, why) over a range; None stands for bytes in the file, `zero` for known zeros."""
        found = set()
        position = start
        for record in self.overlapping(start, end):
            assert record.start <= position, f"{position:#x} is not told"
            found.add(("zero", None) if record.zero else (None if record.offset is not None else record.cls,
                                                          record.why))
            position = record.end
        assert position >= end, f"{position:#x} is not told"
        return found

    def check(self, account=None):
        """What breaks the contract: a list, empty if nothing does."""
        wrong = []
        position = expected = 0
        before = None
        for record in self.records:
            name = f"{record.start:#x}-{record.end:#x}"
            if record.start < position or record.end <= record.start:
                wrong.append(f"{name}: out of order")
            position = record.end
            kinds = [record.offset is not None, record.zero, record.why is not None]
            if kinds.count(True) != 1:
                wrong.append(f"{name}: must be one of offset, zero, why: {record.line}")
            if record.line.get("pidmem") != 1 or record.line.get("command") != "dump":
                wrong.append(f"{name}: no pidmem or command: {record.line}")
            if not isinstance(record.perms, str) or not isinstance(record.path, str):
                wrong.append(f"{name}: no perms or path: {record.line}")
            if record.zero and record.size < BIG:
                wrong.append(f"{name}: zero of less than 1 MiB must be a hole in the file")
            if record.offset is not None:
                if record.offset < expected:
                    wrong.append(f"{name}: offset {record.offset} overlaps what is before")
                if before and before.end == record.start and before.offset is not None and record.offset != expected:
                    wrong.append(f"{name}: adjacent in memory, not in the file")
                expected = record.offset + record.size
            before = record
        if self.fd >= 0 and os.fstat(self.fd).st_size != expected:
            wrong.append(f"file has {os.fstat(self.fd).st_size} bytes, the index ends at {expected}")
        return wrong + (self.check_account(account) if account else [])

    def check_account(self, account):
        sums = {"known": 0, "excluded": 0, "no_content": 0, "unreadable": 0}
        for record in self.records:
            known = record.zero or record.offset is not None
            sums["known" if known else record.cls] += record.size
        claimed = {"known": account["read"] + account["zero"]}
        claimed.update((key, account[key]) for key in ("excluded", "no_content", "unreadable"))
        return [] if sums == claimed else [f"index {sums}, account {claimed}"]
