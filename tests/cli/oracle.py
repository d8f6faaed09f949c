# SPDX-License-Identifier: LGPL-2.1-or-later
"""An independent reader: what is in the memory of a process, found out page by page.

Shares no code and no method with pidmem: it parses /proc/PID/maps and smaps itself and reads each page with a
pread of its own from /proc/PID/mem. Reading so makes the target grow, so it comes after the dump that it judges,
and the target has to be stopped while both look at it.
"""

import ctypes
import fcntl
import os
import re
import struct
from dataclasses import dataclass, field

PAGE = 4096
LAST_SIGNED = 1 << 63
PAGEMAP_SCAN = 0xC0606610  # Linux 6.7
SCAN_PRESENT, SCAN_SWAPPED = 1 << 3, 1 << 4

LINE = re.compile(rb"([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) ([0-9a-f]+):([0-9a-f]+) (\d+) *(.*)", re.DOTALL)


@dataclass
class Region:
    start: int
    end: int
    perms: str
    offset: int
    dev: tuple
    inode: int
    path: bytes  # as the kernel writes it
    flags: set = field(default_factory=set)  # VmFlags
    numbers: dict = field(default_factory=dict)  # of smaps, in bytes

    @property
    def size(self):
        return self.end - self.start

    @property
    def untouchable(self):
        """Reading it could hang or is impossible: devices, pages of the kernel, an unanswered userfaultfd."""
        return bool(self.flags & {"io", "pf", "um"}) or self.start >= LAST_SIGNED


def parse(line):
    match = LINE.fullmatch(line.rstrip(b"\n"))
    start, end, perms, offset, major, minor, inode, path = match.groups()
    return Region(int(start, 16), int(end, 16), perms.decode(), int(offset, 16), (int(major, 16), int(minor, 16)),
                  int(inode), path)


def regions(pid):
    """The regions as in /proc/PID/maps."""
    with open(f"/proc/{pid}/maps", "rb") as maps:
        return [parse(line) for line in maps]


def smaps(pid):
    """The regions with VmFlags and sizes."""
    found = []
    with open(f"/proc/{pid}/smaps", "rb") as text:
        for line in text:
            if LINE.fullmatch(line.rstrip(b"\n")):
                found.append(parse(line))
                continue
            key, _, value = line.decode().partition(":")
            if key == "VmFlags":
                found[-1].flags = set(value.split())
            elif value.strip().endswith("kB"):
                found[-1].numbers[key] = int(value.split()[0]) * 1024
    return found


def entries(pid, start, end):
    """Ranges of the page table that hold a page, in memory or in swap; touches none of them."""
    runs = []
    with open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        try:
            while start < end:
                vector = ctypes.create_string_buffer(24 * 1024)
                argument = bytearray(struct.pack("<12Q", 96, 0, start, end, 0, ctypes.addressof(vector), 1024, 0, 0,
                                                 0, SCAN_PRESENT | SCAN_SWAPPED, SCAN_PRESENT | SCAN_SWAPPED))
                count = fcntl.ioctl(pagemap, PAGEMAP_SCAN, argument)
                for i in range(count):
                    low, high, _ = struct.unpack_from("<3Q", vector, 24 * i)
                    runs.append((low, high))
                start = struct.unpack_from("<Q", argument, 32)[0]
            return runs
        except OSError:
            runs = []
        for address in range(start, end, 512 * PAGE):  # an older kernel: eight bytes for each page
            count = min(512, (end - address) // PAGE)
            data = os.pread(pagemap.fileno(), count * 8, address // PAGE * 8)
            for i, (word,) in enumerate(struct.iter_unpack("<Q", data)):
                if word >> 62:
                    runs.append((address + i * PAGE, address + (i + 1) * PAGE))
    return runs


class Memory:
    """The bytes of a process, a page at a time."""

    def __init__(self, pid):
        self.fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def page(self, address):
        """The bytes of one page, or None where the kernel gives none."""
        try:
            data = os.pread(self.fd, PAGE, address)
        except OSError:
            return None
        return data if len(data) == PAGE else None

    def read(self, address, size):
        """A range that is expected to be there."""
        data = b"".join(self.page(at) or b"" for at in range(address & -PAGE, address + size, PAGE))
        skip = address % PAGE
        assert len(data) >= skip + size, f"{address:#x} cannot be read by the test itself"
        return data[skip:skip + size]


def sample(start, end, limit):
    """Some pages of a range: all of them if they are few, else spread over it with both ends."""
    count = (end - start) // PAGE
    if count <= limit:
        return range(start, end, PAGE)
    return sorted({start + (count - 1) * i // (limit - 1) * PAGE for i in range(limit)})


def judge(pid, dump, limit=200):
    """What is wrong with the dump of a stopped process: a list of complaints, empty if every byte is right.

    Each page that the dump claims to hold is compared. Of what it calls zero or without content, pages that exist are
    all looked at, and of the rest at most `limit` a range.
    """
    complaints = []
    found = smaps(pid)
    present = {region.start: entries(pid, region.start, region.end) for region in found
               if region.start < LAST_SIGNED}
    with Memory(pid) as memory:
        for region in found:
            position = region.start
            for record in dump.overlapping(region.start, region.end):
                if record.start != position or record.end > region.end:
                    complaints.append(f"{region.start:#x}: range {record.start:#x}-{record.end:#x}, not {position:#x}-")
                position = record.end
                complaints += judge_record(memory, dump, region, record, present.get(region.start, []), limit)
            if position != region.end:
                complaints.append(f"{region.start:#x}-{region.end:#x} ({region.path}): told only up to {position:#x}")
    for record in dump.records:
        if not any(region.start <= record.start < region.end for region in found):
            complaints.append(f"{record.start:#x}: no such region")
    return complaints


def judge_record(memory, dump, region, record, present, limit):
    where = f"{record.start:#x}-{record.end:#x} {region.perms} {region.path.decode(errors='replace')}"
    if record.perms != region.perms:
        return [f"{where}: perms {record.perms}"]
    if region.untouchable:
        if record.why not in ("device", "kernel", "userfaultfd") and "um" not in region.flags:
            return [f"{where}: {record.cls} {record.why}, and yet a device"]
        return []
    if record.offset is not None:
        for address in range(record.start, record.end, PAGE):
            page = memory.page(address)
            if page is None:
                return [f"{where}: bytes for {address:#x}, where the kernel gives none"]
            if page != dump.read(address, PAGE):
                return [f"{where}: bytes of {address:#x} differ"]
        return []
    inside = [(max(low, record.start), min(high, record.end)) for low, high in present
              if low < record.end and high > record.start]
    if region.path == b"[vdso]" and record.why == "kernel" and not inside:
        return []  # of a 32-bit process: the kernel's code, not in its page tables, and to be had nowhere else
    if record.why == "shared" and os.geteuid() != 0:  # to be had only by what root may, or by disturbing the target
        return [f"{where}: unreadable, but {inside[0][0]:#x} is in the page tables"] if inside else []
    pages = set(sample(record.start, record.end, limit))
    for low, high in inside:
        pages.update(range(low, high, PAGE))
    for address in sorted(pages):
        page = memory.page(address)
        if record.zero and (page is None or page.strip(b"\0")):
            return [f"{where}: called zero, but {address:#x} {'cannot be read' if page is None else 'is not'}"]
        if not record.zero and record.why in ("filter", ""):
            return [f"{where}: left out, why {record.why!r}"]
        if not record.zero and page is not None:
            return [f"{where}: {record.cls} ({record.why}), but {address:#x} can be read"]
    return []
