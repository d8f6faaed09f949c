# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls that write and read, and do not do all that they are asked to: less of it, nothing because of a signal, or
nothing at all because of an error, at any place of the file and with and without the page cache."""

import errno
import os
import re

import pytest
from conftest import PAGE, can, pattern
from core_reader import Core
from core_saving import stops
from engines import given
from freezing import chance, held_back, rounds
from shims import build_shim
from zstd_reader import Zstd

RECORD = 4096  # more than pidmem's own note at the end of a core, which tells of times
MEMORY = 24 << 20

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

static long ask(const char *variable)
{
	const char *value = getenv(variable);
	return value ? atol(value) : 0;
}

static long next(long *counter)
{
	return __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

static int failed(long number)
{
	errno = (int)number;
	return -1;
}

static int is_saved_to(int fd)
{
	struct stat status;
	return fd > 2 && fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode)) && status.st_size >= 0;
}

/*
 * DIRECT: the error of what goes past the page cache, after DIRECT_AFTER such writes. EINTR: every second call fails so.
 * SHORT: only part is done. FAIL: the error when FAIL_AFTER bytes have been written; what reaches that is cut short.
 */
static int refuses(int fd, size_t *size)
{
	static long calls, bytes, direct;
	int past = (fcntl(fd, F_GETFL) & O_DIRECT) != 0;

	if (!is_saved_to(fd))
		return 0;
	if (past && ask("DIRECT") && next(&direct) > ask("DIRECT_AFTER"))
		return failed(ask("DIRECT"));
	if (ask("EINTR") && next(&calls) % 2)
		return failed(EINTR);
	if (ask("SHORT") && *size > 1)
		*size = past ? (*size > 512 ? *size / 3 / 512 * 512 + 512 : *size) : *size / 3 + 1;
	if (ask("FAIL")) {
		long left = ask("FAIL_AFTER") - bytes;
		if (left <= 0)
			return failed(ask("FAIL"));
		if (past && *size > (size_t)left)
			*size = left < 512 ? 512 : (size_t)left / 512 * 512;
		else if (*size > (size_t)left)
			*size = (size_t)left;
		__atomic_add_fetch(&bytes, (long)*size, __ATOMIC_SEQ_CST);
	}
	return 0;
}

ssize_t write(int fd, const void *from, size_t size)
{
	return refuses(fd, &size) ? -1 : REAL(write)(fd, from, size);
}

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t offset)
{
	return refuses(fd, &size) ? -1 : REAL(pwrite64)(fd, from, size, offset);
}

/* READ_EINTR, READ_SHORT: the same of reading memory and files. */
ssize_t pread64(int fd, void *to, size_t size, off64_t offset)
{
	static long calls;
	if (ask("READ_EINTR") && next(&calls) % 2)
		return failed(EINTR);
	if (ask("READ_SHORT") && size > 8192)
		size = 4096 + size / 3 / 4096 * 4096;
	return REAL(pread64)(fd, to, size, offset);
}

/* NO_DIRECT: files cannot be opened so. */
int open64(const char *path, int flags, ...)
{
	va_list list;
	va_start(list, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
	va_end(list);
	if ((flags & O_DIRECT) && ask("NO_DIRECT"))
		return failed(ask("NO_DIRECT"));
	return REAL(open64)(path, flags, mode);
}

/* TRUNCATE, ALLOCATE, RANGE: errors of these calls. */
int ftruncate64(int fd, off64_t size)
{
	return ask("TRUNCATE") ? failed(ask("TRUNCATE")) : REAL(ftruncate64)(fd, size);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size)
{
	return ask("ALLOCATE") ? failed(ask("ALLOCATE")) : REAL(fallocate64)(fd, mode, offset, size);
}

int sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags)
{
	return ask("RANGE") ? failed(ask("RANGE")) : REAL(sync_file_range)(fd, offset, size, flags);
}

int posix_fadvise64(int fd, off64_t offset, off64_t size, int advice)
{
	return ask("RANGE") ? (int)ask("RANGE") : REAL(posix_fadvise64)(fd, offset, size, advice);
}
"""

HARMLESS = {
    "short": {"SHORT": 1}, "eintr": {"EINTR": 1}, "short and eintr": {"SHORT": 1, "EINTR": 1},
    "reads": {"READ_SHORT": 1, "READ_EINTR": 1}, "no direct": {"NO_DIRECT": errno.EINVAL},
    "direct refused": {"DIRECT": errno.EINVAL}, "direct refused later": {"DIRECT": errno.EINVAL, "DIRECT_AFTER": 3},
    "direct refused in the middle of one": {"DIRECT": errno.EINVAL, "DIRECT_AFTER": 3, "SHORT": 1},
    "no holes": {"ALLOCATE": errno.EOPNOTSUPP, "RANGE": errno.EINVAL},
}
LIVE = ["--consistency=live"]
FORMS = {
    "dump": ["dump", *LIVE], "dump z": ["dump", "-z1", *LIVE], "split": ["dump", *LIVE, "--split"],
    "core": ["core", *LIVE], "core z": ["core", "-z1", *LIVE],
    "core clone": ["core", *given("clone")], "core precopy": ["core", *given("precopy")],
    "dump precopy": ["dump", *given("precopy")],
}


@pytest.fixture(scope="session")
def faulty(tmp_path_factory):
    return build_shim(tmp_path_factory.mktemp("faults"), SHIM)


@pytest.fixture
def still(victim):
    """It sleeps, and nothing in it changes any more."""
    one = victim("leave", MEMORY >> 20)
    stops(one.pid)
    return one


def command(form, folder):
    """The arguments, but the PID."""
    if "precopy" in form:
        can("precopy")
    return [*FORMS[form], *([folder / "out"] if form == "split" else ["-o", folder / "out" / "c"])]


def check_failure(result, number):
    """It tells of this error, after the way that was tried first, if there was one."""
    *before, said, hint = result.err.splitlines()
    assert result.code == 2, result
    assert re.match("pidmem: cannot write .*: " + os.strerror(number), said) and hint.startswith("hint: "), result
    assert all("not copied while it ran" in line for line in before), result


def contents(folder, form):
    """All that was written, as far as two runs give the same."""
    files = {path.name: Zstd(path).content() if path.suffix == ".zst" else path.read_bytes()
             for path in folder.iterdir() if path.suffix != ".index"}
    return {name: data[:-RECORD] if form.startswith("core") else data for name, data in files.items()}


@pytest.mark.parametrize("fault", HARMLESS)
@pytest.mark.parametrize("form", FORMS)
def test_harmless(pidmem, still, tmp_path, faulty, form, fault):
    """What is to be done again, or in another way, is."""
    for name in ("good", "bad"):
        (tmp_path / name / "out").mkdir(parents=True)
    if "engine" not in " ".join(FORMS[form]):  # a stop changes registers and stacks
        assert pidmem(*command(form, tmp_path / "good"), still.pid).code == 0
    result = pidmem(*command(form, tmp_path / "bad"), still.pid, env=faulty(**HARMLESS[fault]))
    assert result.code == 0 and result.err == "", result
    bad = contents(tmp_path / "bad" / "out", form)
    if "engine" not in " ".join(FORMS[form]):
        assert bad == contents(tmp_path / "good" / "out", form)
    elif form.startswith("core"):
        with Core(tmp_path / "bad" / "out" / "c") as core:
            assert core.check() == [] and core.read(still.region, still.size) == pattern(still.size // PAGE, 27)
    else:
        assert pattern(still.size // PAGE, 27) in bad["c"]


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT], ids=errno.errorcode.get)
@pytest.mark.parametrize("form", FORMS)
def test_fails_anywhere(pidmem, still, tmp_path, faulty, form, number):
    """100 random places in all, the first of each early enough. Nothing is left, nothing is held back."""
    (tmp_path / "out").mkdir()
    most = MEMORY // 50 if "z" in form else MEMORY
    random = chance(f"{form} {number}")
    for i in range(rounds(5)):
        after = random.choice([1, random.randrange(1, 100), random.randrange(1, most if i else most // 20)])
        result = pidmem(*command(form, tmp_path), still.pid, env=faulty(FAIL=number, FAIL_AFTER=after))
        if result.code == 0:  # compressed to less than that
            assert "z" in form and after > most // 20, (after, result)
            for path in (tmp_path / "out").iterdir():
                path.unlink()
            continue
        check_failure(result, number)
        assert result.out == b"" and os.listdir(tmp_path / "out") == [] and held_back(still.pid) == [], (after, result)


@pytest.mark.parametrize("fault", [{"DIRECT": errno.EIO}, {"DIRECT": errno.EIO, "DIRECT_AFTER": 5},
                                   {"DIRECT": errno.ENOSPC, "DIRECT_AFTER": 2}, {"TRUNCATE": errno.EIO}],
                         ids=["first direct", "later direct", "direct, no space", "length"])
@pytest.mark.parametrize("form", ["dump", "split", "core", "core clone", "core precopy", "dump precopy"])
def test_fails_at_one_step(pidmem, still, tmp_path, faulty, form, fault):
    """It would not notice the first three if it did not write past the page cache."""
    (tmp_path / "out").mkdir()
    result = pidmem(*command(form, tmp_path), still.pid, env=faulty(**fault))
    check_failure(result, fault.get("DIRECT", errno.EIO))
    assert result.out == b"" and os.listdir(tmp_path / "out") == [] and held_back(still.pid) == [], result


@pytest.mark.parametrize("form", ["core", "core z"])
def test_pipe(pidmem, still, tmp_path, faulty, form):
    """A stream is written by other calls than a file is."""
    args = [*FORMS[form], "-o", "-", still.pid]
    good = pidmem(*args)
    for fault in ("short", "eintr", "short and eintr", "reads"):
        bad = pidmem(*args, env=faulty(**HARMLESS[fault]))
        assert bad.code == good.code == 0, bad
        for number, one in enumerate((good, bad)):
            (tmp_path / f"{number}.zst").write_bytes(one.out)
        data = [Zstd(tmp_path / f"{number}.zst").content() if "z" in form else one.out for number, one in enumerate((good, bad))]
        assert data[0][:-RECORD] == data[1][:-RECORD]
    check_failure(pidmem(*args, env=faulty(FAIL=errno.EIO, FAIL_AFTER=1)), errno.EIO)
