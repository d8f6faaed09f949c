# SPDX-License-Identifier: LGPL-2.1-or-later
"""The names of what `dump` writes: into a directory that is there, past names that are taken, and back on failure."""

import errno
import os
import signal
import stat

import pytest
from conftest import PAGE, TARGETS, pattern
from dump_reader import Dump
from dumping import take
from middle import SIZE, catch, check_failed, stopped_while_writing
from shims import build_shim

OLD = [TARGETS / "oldkernel"]  # no O_TMPFILE: the file has a temporary name from the start

# Calls that fail when and where the environment says so.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

static int ask(const char *variable)
{
	const char *value = getenv(variable);
	return value ? atoi(value) : 0;
}

/* FAIL_AT=NAME: the first time that something is to get this name, it does not. */
static int refused(const char *name)
{
	static int times;
	const char *refuse = getenv("FAIL_AT");
	return refuse && !strcmp(name, refuse) && !times++;
}

static int failed(int number)
{
	errno = number;
	return -1;
}

int rename(const char *from, const char *to)
{
	return refused(to) ? failed(EIO) : REAL(rename)(from, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (ask("FAIL_RENAMEAT2"))
		return failed(ask("FAIL_RENAMEAT2"));
	return refused(to) ? failed(EIO) : REAL(renameat2)(from_dir, from, to_dir, to, flags);
}

int link(const char *from, const char *to)
{
	if (ask("FAIL_LINK"))
		return failed(ask("FAIL_LINK"));
	return refused(to) ? failed(EIO) : REAL(link)(from, to);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	if ((flags & AT_EMPTY_PATH) && ask("FAIL_EMPTY_PATH"))
		return failed(ask("FAIL_EMPTY_PATH"));
	if ((flags & AT_SYMLINK_FOLLOW) && ask("FAIL_FOLLOW"))
		return failed(ask("FAIL_FOLLOW"));
	return refused(to) ? failed(EIO) : REAL(linkat)(from_dir, from, to_dir, to, flags);
}

/* FAIL_CLOSE: of a file that was written. */
int close(int fd)
{
	struct stat status;
	int written = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
	int result = REAL(close)(fd);
	return result == 0 && written && ask("FAIL_CLOSE") ? failed(ask("FAIL_CLOSE")) : result;
}

/* SWAP=PATH: PATH.other takes its place just before it is opened. */
int open64(const char *path, int flags, ...)
{
	const char *swap = getenv("SWAP");
	va_list list;
	va_start(list, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
	va_end(list);
	if (swap && !strcmp(path, swap)) {
		char other[4096];
		strcat(strcpy(other, swap), ".other");
		REAL(rename)(other, swap);
	}
	return REAL(open64)(path, flags, mode);
}
"""


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    return build_shim(tmp_path_factory.mktemp("shim"), SHIM)


def check_parts(one, folder):
    """A split dump is there, whole, and nothing else."""
    with Dump("/nonexistent", index=folder / "index") as dump:
        files = {record.line["file"] for record in dump.records if record.offset is not None}
        record = dump.find(one.bytes)
        with open(folder / record.line["file"], "rb") as file:
            file.seek(record.offset + one.bytes - record.start)
            assert file.read(PAGE) == pattern(1, 1)
    assert set(os.listdir(folder)) == files | {"index"} and len(files) > 1


def portrait(folder):
    status = folder.stat()
    return status.st_ino, status.st_mode, status.st_gid


@pytest.mark.parametrize("name", [".", "../parts", "../parts/"])
@pytest.mark.parametrize("kernel", [[], OLD], ids=["unnamed", "named"])
def test_existing_directory_is_kept_as_it_is(pidmem, plain, tmp_path, name, kernel):
    folder = tmp_path / "parts"
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, -1, 1234)
    folder.chmod(0o2751)
    before = portrait(folder)
    result = pidmem("dump", "--split", name, plain.pid, cwd=folder, before=kernel)
    assert result.code == 0, result
    assert portrait(folder) == before
    check_parts(plain, folder)
    assert os.listdir(tmp_path) == ["parts"]
    assert stat.S_IMODE((folder / "index").stat().st_mode) == 0o600


def test_new_directory(pidmem, plain, tmp_path):
    result = pidmem("dump", "--split", "parts/", plain.pid, cwd=tmp_path)
    assert result.code == 0, result
    assert stat.S_IMODE((tmp_path / "parts").stat().st_mode) == 0o700
    check_parts(plain, tmp_path / "parts")
    assert os.listdir(tmp_path) == ["parts"]


@pytest.mark.parametrize("room,code", [("64m", 0), ("1m", 2)])
def test_mount_point(pidmem, victim, tmp_path, need_root, room, code):
    """What is dumped goes to that file system, and to no other; the parent cannot be written to at all."""
    one = victim("plain") if code == 0 else victim("noise", 16)
    parent, out = tmp_path / "parent", tmp_path / "out"
    (parent / "disk").mkdir(parents=True)
    out.mkdir()
    script = ('mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && '
              f'mount -t tmpfs -o size={room} none "$0/disk" && '
              f'{{ "$@"; code=$?; cp -r "$0/disk/." "{out}"; exit $code; }}')
    packed = ["-z1"] if code else []  # of that nobody knows beforehand whether there is room for it
    result = pidmem("dump", *packed, "--split", parent / "disk", one.pid,
                    before=["unshare", "--mount", "sh", "-c", script, parent])
    assert result.code == code, result
    if code == 0:
        check_parts(one, out)
    else:
        assert "space" in result.err and os.listdir(out) == [], result


def test_interrupt_leaves_the_directory_empty(pidmem, victim, tmp_path):
    one = victim("leave", SIZE << 1)
    process = pidmem.start("dump", "--split", tmp_path, one.pid)
    if not catch(process):
        pytest.skip("the dump was done before it could be interrupted")
    os.kill(process.pid, signal.SIGINT)
    os.kill(process.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=20)
    check_failed(process.returncode, out, err.decode())
    assert os.listdir(tmp_path) == []


def test_file_that_appears_in_the_directory_is_kept(pidmem, victim, tmp_path):
    """The index gets its name last: the files that have theirs already are taken away again."""
    one = victim("leave", SIZE << 1)
    process = pidmem.start("dump", "--split", tmp_path, one.pid)
    if not catch(process):
        pytest.skip("the dump was done before it could be caught")
    (tmp_path / "index").write_bytes(b"precious")
    os.kill(process.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=20)
    check_failed(process.returncode, out, err.decode())
    assert os.listdir(tmp_path) == ["index"] and (tmp_path / "index").read_bytes() == b"precious"


@pytest.mark.parametrize("existing", [True, False])
def test_split_fails_at_the_last_name(pidmem, plain, tmp_path, shim, existing):
    folder = tmp_path / "parts"
    if existing:
        folder.mkdir()
    env = shim(FAIL_AT="index" if existing else "parts")
    pidmem.fails("dump", "--split", "parts", plain.pid, cwd=tmp_path, env=env)
    assert os.listdir(tmp_path) == (["parts"] if existing else [])
    assert not existing or os.listdir(folder) == []


@pytest.mark.parametrize("old", [True, False])
def test_file_system_without_exclusive_rename(pidmem, plain, tmp_path, shim, old):
    """NFS: link(2) and unlink(2) instead."""
    folder = tmp_path / "parts"
    folder.mkdir()
    env = shim(FAIL_RENAMEAT2=errno.EINVAL)
    result = pidmem("dump", "--split", folder, plain.pid, env=env, before=OLD if old else [])
    assert result.code == 0, result
    check_parts(plain, folder)
    take(pidmem, plain.pid, tmp_path, env=env, before=OLD if old else [])[1].close()


def test_file_system_without_links(pidmem, plain, tmp_path, shim):
    """FAT: neither links nor files without a name, but a rename that does not replace."""
    env = shim(FAIL_LINK=errno.EPERM, FAIL_EMPTY_PATH=errno.EPERM, FAIL_FOLLOW=errno.EPERM)
    for force in ([], ["--force"]):
        take(pidmem, plain.pid, tmp_path, *force, env=env, before=OLD)[1].close()
        assert sorted(os.listdir(tmp_path)) == ["dump", "dump.index"]


@pytest.mark.parametrize("output", [["-o", "d"], ["-o", "d", "--force"], ["--split", "new"], ["--split", "parts"]],
                         ids=["new file", "force", "new directory", "existing directory"])
def test_temporary_names_that_are_taken(pidmem, plain, tmp_path, output):
    """Somebody of the same number was killed here before."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "d").write_bytes(b"old")
    (tmp_path / "d.index").write_bytes(b"old")
    if output == ["-o", "d"]:
        (tmp_path / "d").unlink()
        (tmp_path / "d.index").unlink()
    # exec keeps the number. In an existing directory nothing can be left, or it would not be taken for empty.
    script = 'mkdir .pidmem.$$.0 && echo precious >.pidmem.$$.1 && echo $$ >number && exec "$@"'
    result = pidmem("dump", *output, plain.pid, cwd=tmp_path, before=["sh", "-c", script, "sh", *OLD])
    assert result.code == 0, result
    number = (tmp_path / "number").read_text().strip()
    left = {name for name in os.listdir(tmp_path) if name.startswith(".")}
    assert left == {f".pidmem.{number}.0", f".pidmem.{number}.1"}
    assert (tmp_path / f".pidmem.{number}.1").read_text() == "precious\n"


@pytest.mark.parametrize("kernel", [[], OLD], ids=["unnamed", "named"])
@pytest.mark.parametrize("force", [[], ["--force"]], ids=["new", "force"])
def test_long_names(pidmem, plain, tmp_path, kernel, force):
    """255 bytes are a name, and the temporary one is not longer."""
    name = "x" * (255 - len(".index"))
    if force:
        (tmp_path / name).write_bytes(b"old")
        (tmp_path / f"{name}.index").write_bytes(b"old")
    take(pidmem, plain.pid, tmp_path, *force, name=name, before=kernel)[1].close()
    assert len(os.listdir(tmp_path)) == 2


def test_long_name_of_a_directory(pidmem, plain, tmp_path):
    result = pidmem("dump", "--split", tmp_path / ("x" * 255), plain.pid)
    assert result.code == 0, result
    check_parts(plain, tmp_path / ("x" * 255))


def test_pipe_that_becomes_a_file(pidmem, plain, tmp_path, shim):
    """Between the look and the opening: a file is not overwritten by a stream."""
    os.mkfifo(tmp_path / "d")
    (tmp_path / "d.other").write_bytes(b"precious")
    result = pidmem.fails("dump", "-o", tmp_path / "d", plain.pid, env=shim(SWAP=tmp_path / "d"))
    assert "--force" in result.err
    assert os.listdir(tmp_path) == ["d"] and (tmp_path / "d").read_bytes() == b"precious"


@pytest.mark.parametrize("output", [["-o", "d"], ["-o", "d", "--force"], ["--split", "."]])
def test_error_that_comes_with_close(pidmem, plain, tmp_path, shim, output):
    """As on NFS, where a quota is noticed when the data are sent off. Noticed while nothing has its name yet."""
    old = {"d": b"old", "d.index": b"old"} if "--force" in output else {}
    for name, content in old.items():
        (tmp_path / name).write_bytes(content)
    result = pidmem.fails("dump", *output, plain.pid, cwd=tmp_path, env=shim(FAIL_CLOSE=errno.EDQUOT))
    assert "uota" in result.err, result
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == old


@pytest.mark.parametrize("linking", [{}, {"FAIL_LINK": errno.EPERM}, {"FAIL_LINK": errno.EPERM,
                                                                      "FAIL_RENAMEAT2": errno.EINVAL}],
                         ids=["links", "no links", "nothing"])
@pytest.mark.parametrize("index", [True, False], ids=["index", "no index"])
@pytest.mark.parametrize("refuse", ["d", "d.index"])
def test_force_keeps_both_old_files_or_none(pidmem, plain, tmp_path, shim, refuse, linking, index):
    """The new index has its name already when the dump does not get its own: the old index comes back."""
    old = {"d": b"old dump", **({"d.index": b"old index"} if index else {})}
    for name, content in old.items():
        (tmp_path / name).write_bytes(content)
    env = shim(FAIL_AT=refuse, **linking)
    pidmem.fails("dump", "--force", "-o", "d", plain.pid, cwd=tmp_path, env=env)
    left = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    assert left == old


@pytest.mark.parametrize("blocked", ["empty path", "descriptor", "both"])
@pytest.mark.parametrize("force", [[], ["--force"]], ids=["new", "force"])
def test_ways_to_name_an_unnamed_file(pidmem, plain, tmp_path, shim, blocked, force):
    """One of two ways, or a temporary name from the start: never a dump that is lost in the end."""
    env = shim(**({} if blocked == "descriptor" else {"FAIL_EMPTY_PATH": errno.ENOENT}),
               **({} if blocked == "empty path" else {"FAIL_FOLLOW": errno.ENOENT}))
    if force:
        (tmp_path / "dump").write_bytes(b"old")
    take(pidmem, plain.pid, tmp_path, *force, env=env)[1].close()
    assert sorted(os.listdir(tmp_path)) == ["dump", "dump.index"]


def test_killed_where_only_the_descriptor_can_be_named(pidmem, victim, tmp_path, shim):
    """Before Linux 6.10 an ordinary user has /dev/fd alone: enough for a file without a name."""
    env = shim(FAIL_EMPTY_PATH=errno.ENOENT)
    _, process, folder = stopped_while_writing(pidmem, victim, tmp_path,
                                               before=["env", *[f"{name}={value}" for name, value in env.items()]])
    process.kill()
    process.communicate(timeout=20)
    assert os.listdir(folder) == []


def test_without_dev(pidmem, plain, tmp_path, need_root):
    """A container may have nothing in /dev."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "out").mkdir()
    script = 'mount --bind "$0" /dev && exec "$@"'
    _, dump = take(pidmem, plain.pid, tmp_path / "out",
                   before=["unshare", "--mount", "sh", "-c", script, tmp_path / "empty"])
    dump.close()
