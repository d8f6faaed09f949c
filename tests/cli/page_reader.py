# SPDX-License-Identifier: LGPL-2.1-or-later
"""The data within a page of `report`, read as its script reads it."""

import base64
import json
import os
import re
import struct

from conftest import PAGE

KINDS = ("anon", "heap", "stack", "file", "shared", "vdso")
REGION = {"start": "Q", "size": "d", "offset": "d", "kind": "B", "perms": "B", "marks": "B", "name": "I", "rss": "f",
          "swap": "f", "read": "f", "zero": "f", "unreadable": "f", "changed": "f"}
CELL = {"start": "Q", "region": "I", "read": "f", "zero": "f", "unreadable": "f", "rss": "f", "swap": "f", "changed": "f",
        "uncompared": "f", "zeros": "B", "text": "B", "high": "B", "pointers": "B", "entropy": "B", "sample_start": "Q", "sample_size": "B"}


def unpack(columns, formats):
    """A list of objects from an object of columns."""
    found = {name: [value for value, in struct.iter_unpack(f"<{letter}", base64.b64decode(columns[name], validate=True))]
             for name, letter in formats.items() if name in columns}
    assert {len(values) for values in found.values()} <= {columns["count"]}
    return [dict(zip(found, row)) for row in zip(*found.values())]


def make_many(dump, count=65000, path=""):
    """A dump of so many regions of a page of random bytes each, a page apart, by turns rw-p and r--p."""
    lines = [json.dumps({"pidmem": 1, "command": "dump", "start": hex(0x101000 + 2 * i * PAGE),
                         "end": hex(0x101000 + (2 * i + 1) * PAGE), "offset": i * PAGE, "perms": "r--p" if i % 2 else "rw-p",
                         "path": path and path + str(i)}) for i in range(count)]
    dump.with_name(dump.name + ".index").write_text("\n".join(lines) + "\n")
    with open(dump, "wb") as file:
        for _ in range(0, count, 500):
            file.write(os.urandom(500 * PAGE))
    return count


class Page:
    def __init__(self, path):
        self.text = path.read_bytes().decode()
        scripts = re.findall(r'<script type="application/json" id="data">(.*?)</script>', self.text, re.S)
        assert len(scripts) == 1
        self.data = json.loads(scripts[0])
        self.regions = unpack(self.data["regions"], REGION)
        self.cells = unpack(self.data["cells"], CELL)
        for region in self.regions:
            region["name"] = self.data["names"][region["name"]] if region["name"] < len(self.data["names"]) else None
        sample = base64.b64decode(self.data["cells"].get("sample", ""))
        for i, cell in enumerate(self.cells):
            cell["sample"] = sample[32 * i:32 * i + cell.get("sample_size", 0)]

    def total(self, field, rows=None):
        return sum(row[field] for row in (self.cells if rows is None else rows))

    def cell(self, address):
        size = self.data["cells"]["size"]
        return next((cell for cell in self.cells if cell["start"] <= address < cell["start"] + size), None)
