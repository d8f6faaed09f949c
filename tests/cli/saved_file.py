# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the readers of cores and dumps share: a file, and ranges of addresses in order, each at a place in it."""

import bisect
import os


class Hole(Exception):
    """The file has no bytes for an address."""


class SavedFile:
    """A reader has `ranges` with start and end, and place() for what the file has of one."""

    def open(self, path):
        self.path = os.fspath(path)
        self.fd = os.open(self.path, os.O_RDONLY) if os.path.isfile(self.path) else -1  # a dump may have an index alone

    def tell(self, ranges):
        self.ranges = ranges
        self.starts = [one.start for one in ranges]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def find(self, address):
        """The range that holds an address, or None."""
        i = bisect.bisect_right(self.starts, address) - 1
        return self.ranges[i] if i >= 0 and address < self.ranges[i].end else None

    def read(self, address, size):
        """The bytes at an address, across adjacent ranges; Hole where the file has none."""
        parts, end = [], address + size
        while address < end:
            one = self.find(address)
            offset, left = self.place(one, address) if one else (None, 0)
            if left <= 0:
                raise Hole(f"{address:#x}: {one or 'no range'}")
            take = min(end - address, left)
            parts.append(bytes(take) if offset is None else os.pread(self.fd, take, offset))
            if len(parts[-1]) < take:
                raise Hole(f"{address:#x}: the file is too short")
            address += take
        return b"".join(parts)
