# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same bytes on every file system: without O_DIRECT, without O_TMPFILE, in memory, in layers, in another process;
and nothing is left on one that is full."""

import os
import resource
import shutil

import pytest
from conftest import PAGE, pattern
from core_reader import Core
from core_saving import stops
from freezing import chance, held_back, rounds
from test_write_faults import FORMS, command, contents

# Each makes a file system of 96 MiB at `disk`, in the directory where it runs.
MAKE = {
    "tmpfs": "mount -t tmpfs -o size=96m none disk",
    "ramfs": "mount -t ramfs none disk",  # no O_DIRECT
    "overlay": "mount -t tmpfs none low && mkdir low/a low/b low/c && "
               "mount -t overlay -o lowerdir=low/a,upperdir=low/b,workdir=low/c none disk",
    "ext4": "truncate -s 96M image && mkfs.ext4 -q image && mount -o loop image disk",
    "ext4 1K": "truncate -s 96M image && mkfs.ext4 -q -b 1024 image && mount -o loop image disk",
    "ext2": "truncate -s 96M image && mkfs.ext2 -q image && mount -o loop image disk",
    "fuse": "truncate -s 96M image && mkfs.ext2 -q image && fuse2fs image disk >/dev/null 2>&1",  # no O_TMPFILE
}
SCRIPT = """
mkdir -p disk low out && { %s; } || exit 77
mkdir disk/out
(cd disk && "$@")
code=$?
ls -A disk/out >left
cp --sparse=always disk/out/* out/ 2>/dev/null
umount disk
exit $code
"""


def on(make):
    return ["unshare", "--mount", "sh", "-c", SCRIPT % make, "sh"]


@pytest.fixture
def still(victim):
    """It sleeps, and nothing in it changes any more."""
    one = victim("leave", 24)
    stops(one.pid)
    return one


def check_made(result):
    if result.code == 77:
        pytest.skip("this file system cannot be made here")


@pytest.mark.parametrize("system", MAKE)
@pytest.mark.parametrize("form", FORMS)
def test_same_bytes(pidmem, still, tmp_path, need_root, form, system):
    if system == "fuse" and not (shutil.which("fuse2fs") and os.path.exists("/dev/fuse")):
        pytest.skip("no FUSE here (Debian fuse2fs)")
    (tmp_path / "good").mkdir()
    args = [str(arg).replace(f"{tmp_path}/", "") for arg in command(form, tmp_path)]
    result = pidmem(*args, still.pid, before=on(MAKE[system]), cwd=tmp_path)
    check_made(result)
    assert result.code == 0 and result.err == "", result
    if "engine" not in " ".join(FORMS[form]):  # a stop changes registers and stacks
        good = [str(arg).replace("out", "good") for arg in args]
        assert pidmem(*good, still.pid, cwd=tmp_path).code == 0
        assert contents(tmp_path / "out", form) == contents(tmp_path / "good", form)
    elif form.startswith("core"):
        with Core(tmp_path / "out" / "c") as core:
            assert core.check() == [] and core.read(still.region, still.size) == pattern(still.size // PAGE, 27)
    else:
        assert pattern(still.size // PAGE, 27) in contents(tmp_path / "out", form)["c"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("args", [["core", "-z1"], ["dump", "-z1"]], ids=lambda args: args[0])
def test_full(pidmem, victim, tmp_path, need_root, args):
    """With -z it is not known beforehand how much room it takes: at 20 places each."""
    one, random = victim("noise", 16), chance(f"full {args}")
    for _ in range(rounds(20)):
        size = random.randrange(64 << 10, 16 << 20) & -PAGE
        script = on(f"mount -t tmpfs -o size={size} none disk")
        result = pidmem.fails(*args, "-o", "out/c", one.pid, before=script, cwd=tmp_path)
        assert "No space left on device" in result.err and (tmp_path / "left").read_text() == "", (size, result)
        assert held_back(one.pid) == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("form", FORMS)
def test_limit_of_files(pidmem, victim, tmp_path, form):
    """RLIMIT_FSIZE at any place: what reaches it is written in part. 12 places each."""
    one, random = victim("noise", 16), chance(f"limit {form}")
    (tmp_path / "out").mkdir()
    for _ in range(rounds(12)):
        size = random.randrange(1, 15 << 20)
        limit = (size, resource.RLIM_INFINITY)
        result = pidmem(*command(form, tmp_path), one.pid, preexec_fn=lambda to=limit: resource.setrlimit(resource.RLIMIT_FSIZE, to))
        assert (result.code, result.out) == (2, b"") and "File too large" in result.err, (size, result)
        assert os.listdir(tmp_path / "out") == [] and held_back(one.pid) == [], (size, result)
