# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run one example and check what it printed: check.py NAME PROGRAM."""

import ctypes
import mmap
import os
import re
import secrets
import subprocess
import sys
import tempfile

PR_SET_PTRACER = 0x59616D61  # with Yama, a child may not read its parent unless the parent says so
PR_SET_PTRACER_ANY = ctypes.c_ulong(-1)


def run(*arguments, **environment):
    return subprocess.run(arguments, capture_output=True, text=True, check=False,
                          env={**os.environ, **environment})


def check_dump_self(program):
    marker = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "self.mem")
        result = run(program, path, MARKER=marker)
        assert result.returncode == 0, result
        with open(path, "rb") as file:
            content = file.read()
        assert f"MARKER={marker}\0".encode() in content, "the environment is not in the dump"
        sizes = {name: int(size) for name, size in re.findall(r"^(\w+) +(\d+) bytes$", result.stdout, re.M)}
        assert sizes["read"] == len(content), (sizes, len(content))
        assert sizes.pop("total") == sum(sizes.values()), sizes
        again = run(program, path)
        assert again.returncode == 2 and "File exists" in again.stderr, again


def check_list_regions(program):
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(b"x")
    child.stdin.flush()
    child.stdout.read(1)  # it has echoed: exec and the loader are behind it
    with open(f"/proc/{child.pid}/maps", encoding="utf-8") as maps:
        expected = [(line.split("-")[0].zfill(16), line.split()[1]) for line in maps]
    result = run(program, str(child.pid))
    child.stdin.close()
    child.wait()
    assert result.returncode == 0, result
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [(line[0], line[6]) for line in lines] == expected, (lines, expected)
    assert any(line[-1] == "[stack]" and line[7] == "stack" and int(line[3]) > 0 for line in lines), lines
    gone = run(program, str(child.pid))
    assert gone.returncode == 2 and str(child.pid) in gone.stderr, gone


def check_read_string(program):
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)
    text = "a string of pid " + secrets.token_hex(8)
    buffer = ctypes.create_string_buffer(text.encode())
    pid, address = str(os.getpid()), hex(ctypes.addressof(buffer))
    result = run(program, pid, address)
    assert result.returncode == 0 and result.stdout == text + "\n", result

    # No NUL before the end of what is mapped: a page of letters with nothing readable behind it.
    pages = mmap.mmap(-1, 2 * mmap.PAGESIZE)
    pages.write(b"a" * mmap.PAGESIZE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.munmap(ctypes.c_void_p(start + mmap.PAGESIZE), ctypes.c_size_t(mmap.PAGESIZE)) == 0
    result = run(program, pid, hex(start + mmap.PAGESIZE - 8))
    os.write(1, result.stderr.encode())
    assert result.returncode == 1 and "after 8 bytes" in result.stderr, result
    os._exit(0)  # the mapping has a hole that Python's own unmapping does not expect


if __name__ == "__main__":
    globals()["check_" + sys.argv[1]](sys.argv[2])
