# SPDX-License-Identifier: LGPL-2.1-or-later
"""What find prints, and raw dumps made by hand to look into."""

import json

from conftest import PAGE, check_account

BASE = 0x7F0000000000


class Found:
    """The lines of `find -j`: matches, and the last object."""

    def __init__(self, result):
        lines = [json.loads(line) for line in result.out.splitlines()]
        self.code, self.end, self.matches = result.code, lines[-1], lines[:-1]
        assert all(line["pidmem"] == 1 and line["command"] == "find" for line in lines)
        assert self.end["matches"] == len(self.matches)
        check_account(self.end["account"])
        assert self.code == (3 if self.end["account"]["unreadable"] else 0 if self.matches else 1), result
        assert all(len(match["bytes"]) == 2 * match["length"] for match in self.matches)

    @property
    def places(self):
        return [(int(match["address"], 16), match["length"]) for match in self.matches]

    @property
    def addresses(self):
        return [address for address, _ in self.places]


def find(pidmem, *args, code=(0, 1), **options):
    result = pidmem("find", "-j", *args, **options)
    assert result.code in code, result
    return Found(result)


def write_dump(path, pieces):
    """A raw dump: pieces are (address, bytes), (address, number of zeros), or (address, size, class, why)."""
    offset = 0
    with open(path, "wb") as data, open(f"{path}.index", "w", encoding="ascii") as index:
        for start, content, *reason in pieces:
            size = content if isinstance(content, int) else len(content)
            line = {"start": hex(start), "end": hex(start + size), "perms": "rw-p", "path": ""}
            if reason:
                line["class"], line["why"] = reason
            elif isinstance(content, int):
                line["zero"] = True
            else:
                line["offset"] = offset
                data.write(content)
                offset += size
            index.write(json.dumps(line) + "\n")


def runs(pieces):
    """The contiguous parts: (address, bytes)."""
    joined = []
    for start, content, *reason in pieces:
        if reason:
            continue
        content = bytes(content) if isinstance(content, int) else content
        if joined and joined[-1][0] + len(joined[-1][1]) == start:
            joined[-1][1].extend(content)
        else:
            joined.append((start, bytearray(content)))
    return [(start, bytes(content)) for start, content in joined]


def naive_text(pieces, text):
    """All places, overlapping ones too."""
    places = []
    for start, content in runs(pieces):
        at = content.find(text)
        while at >= 0:
            places.append((start + at, len(text)))
            at = content.find(text, at + 1)
    return places


def naive_regex(pieces, expression):
    return [(start + match.start(), match.end() - match.start()) for start, content in runs(pieces)
            for match in expression.finditer(content) if match.group()]


__all__ = ["BASE", "PAGE", "Found", "find", "naive_regex", "naive_text", "runs", "write_dump"]
