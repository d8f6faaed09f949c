# SPDX-License-Identifier: LGPL-2.1-or-later
"""The ways to hold one moment: two engines for a snapshot, or stopped for as long as it takes."""

import ctypes
import fcntl
import os
import struct

ENGINES = ["clone", "precopy"]
WAYS = [*ENGINES, "stopped"]


def given(way):
    """The options that ask for it; "live" is none of them, but is asked for alike."""
    if way in ENGINES:
        return ["--consistency=snapshot", f"--engine={way}"]
    return [f"--consistency={way}"] if way else []


def tracking_lacks():
    """What the kernel lacks for the pre-copy engine, or None: it is asked for our own process."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = {"x86_64": 323, "aarch64": 282}.get(os.uname().machine)
    fd = libc.syscall(number, os.O_CLOEXEC | 1) if number else -1  # UFFD_USER_MODE_ONLY
    if fd < 0:
        return f"userfaultfd(2): {os.strerror(ctypes.get_errno())}"
    with os.fdopen(fd), open("/proc/self/pagemap", "rb") as pagemap:
        try:  # UFFDIO_API with UFFD_FEATURE_WP_ASYNC; PAGEMAP_SCAN of nothing
            fcntl.ioctl(fd, 0xC018AA3F, struct.pack("QQQ", 0xAA, 1 << 15, 0))
            fcntl.ioctl(pagemap, 0xC0606610, struct.pack("12Q", 96, *[0] * 11))
        except OSError as error:
            return f"UFFD_FEATURE_WP_ASYNC and PAGEMAP_SCAN (Linux 6.7): {error.strerror}"
    return None
