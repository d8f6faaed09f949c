# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads zstd files in the seekable format, by RFC 8878 and contrib/seekable_format of zstd alone; zstd(1) decompresses."""

import struct
import subprocess

FRAME, SKIPPABLE, TABLE, SEEKABLE = 0xFD2FB528, 0x184D2A50, 0x184D2A5E, 0x8F92EAB1


def decompress(data):
    return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True).stdout


def frame_length(data, at):
    """The length of the frame at an offset, from its headers of blocks, and the size of its content."""
    descriptor = data[at + 4]
    assert descriptor & 0x03 == 0, "a dictionary"
    single, checksum = descriptor >> 5 & 1, descriptor >> 2 & 1
    assert checksum, "no checksum"
    width = {0: 1 if single else 0, 1: 2, 2: 4, 3: 8}[descriptor >> 6]
    start = at + 5 + (0 if single else 1)
    assert width, "it does not tell how large its content is"
    content = int.from_bytes(data[start:start + width], "little") + (256 if width == 2 else 0)
    end, last = start + width, False
    while not last:
        header = int.from_bytes(data[end:end + 3], "little")
        last = header & 1
        end += 3 + (1 if header >> 1 & 3 == 1 else header >> 3)
    return end + 4 - at, content


class Zstd:
    """`frames`: (offset, length, position, size of the content), as the file itself has them. The table must agree."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        self.frames, at, position = [], 0, 0
        while struct.unpack_from("<I", self.data, at)[0] == FRAME:
            length, content = frame_length(self.data, at)
            self.frames.append((at, length, position, content))
            at += length
            position += content
        self.size = position
        assert self.table(at) == [(length, content) for _, length, _, content in self.frames]

    def table(self, at):
        magic, size = struct.unpack_from("<II", self.data, at)
        count, descriptor, seekable = struct.unpack("<IBI", self.data[-9:])
        assert (magic, seekable, descriptor) == (TABLE, SEEKABLE, 0)
        assert size == 8 * count + 9 and at + 8 + size == len(self.data), "something stands behind the table"
        return list(struct.iter_unpack("<II", self.data[at + 8:-9]))

    def frame(self, index):
        """The content of one frame, without the others."""
        at, length, _, _ = self.frames[index]
        return decompress(self.data[at:at + length])

    def content(self):
        return decompress(self.data)
