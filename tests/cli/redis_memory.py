# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finds keys and values in the memory of a redis, as its own code does: from the variable `server` on. The layouts are
those of redis 7.0 (server.h, dict.h, object.h, sds.h) on 64 bits."""

import shutil
import struct
import subprocess

import pytest

DATABASES = 64  # offset of `db` in struct redisServer
RAW, INT, EMBSTR = 0, 1, 8


def need_layout():
    """Skip where redis is another one; returns the offset of `server` in the program."""
    program = shutil.which("redis-server")
    version = ""
    if program:
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if " v=7.0." not in version or " bits=64" not in version:
        pytest.skip(f"the layout of redis 7.0 is known, this is {version.strip() or 'none'}")
    symbols = subprocess.run(["nm", "-D", program], capture_output=True, text=True, check=True).stdout
    return next(int(line.split()[0], 16) for line in symbols.splitlines() if line.endswith(" B server"))


class Memory:
    """Words, from runs of pages that are kept."""

    def __init__(self, core):
        self.core = core
        self.blocks = {}

    def read(self, address, size):
        data = b""
        while len(data) < size:
            block, inside = divmod(address + len(data), 4096)
            if block not in self.blocks:
                self.blocks[block] = self.core.read(block * 4096, 4096)
            data += self.blocks[block][inside:inside + size - len(data)]
        return data

    def words(self, address, count):
        return struct.unpack(f"<{count}Q", self.read(address, 8 * count))

    def string(self, sds):
        """Its length is before it, in as many bytes as the last one before it tells."""
        kind = self.read(sds - 1, 1)[0]
        width = {1: 1, 2: 2, 3: 4, 4: 8}.get(kind & 7)
        length = int.from_bytes(self.read(sds - 1 - 2 * width, width), "little") if width else kind >> 3
        return self.read(sds, length)

    def value(self, address):
        head, pointer = self.words(address, 2)
        assert head & 15 == 0, f"value of type {head & 15}"
        encoding = head >> 4 & 15
        assert encoding in (RAW, INT, EMBSTR), f"encoding {encoding}"
        return b"%d" % pointer if encoding == INT else self.string(pointer)


def contents(core, symbol):
    """All keys and values of database 0."""
    base = min(start for start, _, offset, name in core.files if b"redis" in name and offset == 0)
    memory = Memory(core)
    databases, = memory.words(base + symbol + DATABASES, 1)
    table, = memory.words(databases, 1)
    _, *tables = memory.words(table, 3)
    *used, rehash = memory.words(table + 24, 3)
    exponents = memory.read(table + 24 + 24 + 2, 2)
    assert rehash == 0xFFFFFFFFFFFFFFFF, "the table is just being made larger"
    found = {}
    for buckets, count, exponent in zip(tables, used, exponents):
        if not count:
            continue
        for entry in memory.words(buckets, 1 << exponent):
            while entry:
                key, value, entry = memory.words(entry, 3)
                found[memory.string(key)] = memory.value(value)
    return found
