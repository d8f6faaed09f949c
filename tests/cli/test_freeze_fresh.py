# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shared memory that is mapped all the time (tests/targets/fresh.c): what came last is in the file as well, and it is
not for that that the process stands still while all its memory is listed."""

import struct

import pytest
from conftest import PAGE
from core_reader import Core
from dump_reader import Dump
from engines import given
from freezing import rounds, save
from saved_file import Hole
from shims import build_shim

FIELDS = 6

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int (*real)(int, const char *, int, ...);

/* Every opening of smaps is noted, by how the process is just then: proc_pid_stat(5). A copy always stands still. */
static void note(int dir)
{
	char text[256] = "";
	int stat = real(dir, "stat", O_RDONLY), file = real(AT_FDCWD, getenv("NOTED"), O_WRONLY | O_APPEND | O_CREAT, 0600);
	ssize_t size = read(stat, text, sizeof text - 1);
	char *state = size > 0 ? strrchr(text, ')') + 2 : "?";
	if (atoi(text) == atoi(getenv("TARGET")) && write(file, state, 1) != 1)
		abort();
	close(stat);
	close(file);
}

int openat(int dir, const char *name, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0;
	va_end(rest);
	real = real ? real : dlsym(RTLD_NEXT, "openat");
	if (!strcmp(name, "smaps"))
		note(dir);
	return real(dir, name, flags, mode);
}

int openat64(int dir, const char *name, int flags, ...) __attribute__((alias("openat")));
"""


def slots(file, one):
    return list(struct.iter_unpack(f"<{FIELDS}Q", file.read(one.ledger, 8 * FIELDS * one.slots)))


def wrong(file, one):
    """The slots that are not as they were noted. What is not to be dumped may be there if it has gone since."""
    found = []
    for begun, done, address, pages, stamp, hidden in slots(file, one):
        for page in range(pages if begun == done else 0):
            try:
                data = file.read(address + page * PAGE, PAGE)
            except Hole:
                data = None
            if data != (stamp << 20 | page).to_bytes(8, "little") * (PAGE // 8) and not (hidden and data is None):
                found.append((hex(address), page, stamp, hidden, data and data[:8]))
    return found


@pytest.mark.parametrize("command", ["core", "dump"])
@pytest.mark.parametrize("role", ["root", "ordinary"])
def test_what_came_last(pidmem, victim, user_dir, as_user, command, role, engine):
    user = as_user if role == "ordinary" else None
    one = victim("fresh", user=user)
    seen = set()
    for _ in range(rounds(30)):
        result = pidmem(command, "-j", "--force", *given(engine), "-o", user_dir / "file", one.pid, user=user)
        # What was mapped just then, and not touched yet, cannot be read by everybody.
        assert result.code == 0 or (user and result.code == 3), result
        with (Core if command == "core" else Dump)(user_dir / "file") as file:
            assert wrong(file, one) == [], result
            seen.add(slots(file, one)[0])
    assert len(seen) > 1, "it mapped nothing: nothing was proved"


def test_not_all_is_listed_in_the_stop(pidmem, victim, tmp_path, engine):
    one = victim("fresh")
    noting = build_shim(tmp_path, SHIM)(NOTED=tmp_path / "noted", TARGET=one.pid)
    for i in range(rounds(10)):
        save(pidmem, one.pid, tmp_path / "core", way=engine, env=noting)[1].close()
        states = (tmp_path / "noted").read_text()
        assert states and "t" not in states, (i, states)
