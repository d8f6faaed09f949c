# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures for what one machine has for all: swap space, and huge pages for hugetlb(7)."""

import os
import subprocess

import pytest

MIB = 1 << 20
HUGE_PAGES = "/proc/sys/vm/nr_hugepages"


@pytest.fixture
def swap(need_root, tmp_path):
    """A swap file for a while."""
    with open("/proc/swaps") as swaps:
        if len(swaps.readlines()) > 1:
            yield
            return
    file = tmp_path / "swap"
    with open(file, "wb") as target:
        target.write(bytes(16 * MIB))
    file.chmod(0o600)
    path = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
    subprocess.run(["mkswap", file], check=True, capture_output=True, env=path)
    on = subprocess.run(["swapon", file], capture_output=True, text=True, env=path, check=False)
    if on.returncode:
        pytest.skip(f"no swap, and none can be had: {on.stderr.strip()}")
    yield
    subprocess.run(["swapoff", file], check=True, env=path)


@pytest.fixture
def huge_pages(need_root, request):
    """huge_pages(N) makes a pool of exactly N huge pages. It goes after victims that were asked for later: one that
    drops a page, and cannot have it again, would get SIGBUS."""
    assert request.fixturenames.index("huge_pages") < request.fixturenames.index("victim")
    with open(HUGE_PAGES) as file:
        before = file.read()

    def reserve(count):
        with open(HUGE_PAGES, "w") as file:
            file.write(str(count))
        with open(HUGE_PAGES) as file:
            got = int(file.read())
        if got != count:
            pytest.skip(f"the kernel grants {got} of {count} huge pages (vm.nr_hugepages)")

    yield reserve
    with open(HUGE_PAGES, "w") as file:
        file.write(before)
