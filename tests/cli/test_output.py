# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `dump` writes to: never through a link, never over a file without --force, whole or not at all."""

import os
import resource
import signal
import socket

import pytest
from conftest import PAGE, TARGETS
from dumping import take
from middle import SIZE, catch, check_failed, stopped_while_writing

OLD = [TARGETS / "oldkernel"]  # among others, files without a name (O_TMPFILE) are not to be had


@pytest.fixture(params=["unnamed", "named"])
def kernel(request):
    """Half-written outputs without a name, where there is O_TMPFILE, and with one."""
    return OLD if request.param == "named" else []


def test_existing_output_is_kept(pidmem, plain, tmp_path):
    for content in (b"precious", b""):
        (tmp_path / "d").write_bytes(content)
        result = pidmem.fails("dump", "-o", "d", plain.pid, cwd=tmp_path)
        assert "--force" in result.err
        assert (tmp_path / "d").read_bytes() == content
        assert os.listdir(tmp_path) == ["d"]


def test_existing_default_output_is_kept(pidmem, plain, tmp_path):
    (tmp_path / f"{plain.pid}.mem").write_bytes(b"precious")
    pidmem.fails("dump", plain.pid, cwd=tmp_path)
    assert (tmp_path / f"{plain.pid}.mem").read_bytes() == b"precious"
    assert len(os.listdir(tmp_path)) == 1


def test_existing_split_directory_is_kept(pidmem, plain, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "index").write_bytes(b"precious")
    pidmem.fails("dump", "--split", folder, plain.pid, cwd=tmp_path)
    assert [(folder / "index").read_bytes(), os.listdir(folder)] == [b"precious", ["index"]]


@pytest.mark.parametrize("option", ["-o", "--split"])
def test_missing_directory(pidmem, plain, tmp_path, option):
    pidmem.fails("dump", option, "missing/directory/d", plain.pid, cwd=tmp_path)
    assert os.listdir(tmp_path) == []


def test_output_is_a_directory(pidmem, plain, tmp_path):
    (tmp_path / "d").mkdir()
    for force in ([], ["--force"]):
        pidmem.fails("dump", *force, "-o", "d", plain.pid, cwd=tmp_path)
        assert os.listdir(tmp_path) == ["d"] and os.listdir(tmp_path / "d") == []


@pytest.mark.parametrize("name", ["", "d/", "x" * 300, "x" * 5000], ids=["empty", "slash", "long", "too long"])
def test_output_name_that_is_none(pidmem, plain, tmp_path, name):
    pidmem.fails("dump", "-o", name, plain.pid, cwd=tmp_path)
    assert os.listdir(tmp_path) == []


def test_socket_as_output(pidmem, plain, tmp_path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s"))
        pidmem.fails("dump", "-o", tmp_path / "s", plain.pid)
    assert os.listdir(tmp_path) == ["s"]


def test_directory_that_may_not_be_written(pidmem, victim, user_dir, as_user):
    folder = user_dir / "locked"
    folder.mkdir(mode=0o555)
    folder.chmod(0o555)
    one = victim("plain", user=as_user)
    pidmem.fails("dump", "-o", folder / "d", one.pid, user=as_user)
    assert os.listdir(folder) == []


def test_unreadable_existing_output_is_kept(pidmem, victim, user_dir, as_user):
    """Not even --force may lose a file, if the dump then fails."""
    one = victim("plain", user=as_user)
    (user_dir / "d").write_bytes(b"precious")
    (user_dir / "d").chmod(0)
    pidmem.fails("dump", "-o", user_dir / "d", one.pid, user=as_user)
    (user_dir / "d").chmod(0o600)
    assert (user_dir / "d").read_bytes() == b"precious"


def test_force_keeps_the_old_file_when_the_dump_fails(pidmem, victim, tmp_path):
    (tmp_path / "d").write_bytes(b"precious")
    (tmp_path / "d.index").write_bytes(b"precious index")
    one = victim("ended")
    pidmem.fails("dump", "--force", "-o", "d", one.zombie, cwd=tmp_path)
    assert (tmp_path / "d").read_bytes() == b"precious"
    assert (tmp_path / "d.index").read_bytes() == b"precious index"
    assert len(os.listdir(tmp_path)) == 2


@pytest.mark.parametrize("link", ["d", "d.index"])
@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("dangling", [True, False])
def test_never_through_a_symlink(pidmem, plain, tmp_path, link, force, dangling):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = tmp_path / "folder"
    folder.mkdir()
    if not dangling:
        (elsewhere / "file").write_bytes(b"precious")
    (folder / link).symlink_to(elsewhere / "file")
    result = pidmem.fails("dump", *force, "-o", "d", plain.pid, cwd=folder)
    assert "symbolic link" in result.err or "symlink" in result.err, result
    assert os.listdir(elsewhere) == ([] if dangling else ["file"])
    assert dangling or (elsewhere / "file").read_bytes() == b"precious"
    assert os.listdir(folder) == [link] and (folder / link).is_symlink()


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_split_directory_with_a_symlink_in_it(pidmem, plain, tmp_path, force):
    folder = tmp_path / "parts"
    folder.mkdir()
    (tmp_path / "file").write_bytes(b"precious")
    (folder / "index").symlink_to(tmp_path / "file")
    pidmem.fails("dump", *force, "--split", folder, plain.pid, cwd=tmp_path)
    assert (tmp_path / "file").read_bytes() == b"precious"
    assert os.listdir(folder) == ["index"]


@pytest.mark.parametrize("split", [False, True])
def test_full_disk(pidmem, victim, tmp_path, need_root, split):
    """A tmpfs of 1 MiB, in a mount namespace of its own."""
    one = victim("noise", 16)
    disk = tmp_path / "disk"
    disk.mkdir()
    script = ('mount -t tmpfs -o size=1m none "$0" && cd "$0" && { "$@"; code=$?; '
              'ls -A . >"../left"; df --output=used . | tail -1 >"../used"; exit $code; }')
    output = ["--split", "parts"] if split else ["-o", "d"]
    # Of what is compressed nobody knows beforehand whether there is room for it.
    result = pidmem.fails("dump", "-z1", *output, one.pid, before=["unshare", "--mount", "sh", "-c", script, disk])
    assert "space" in result.err, result
    assert (tmp_path / "left").read_text() == ""


@pytest.mark.parametrize("kilobytes", range(0, 48, 4))
def test_disk_full_at_the_last_moment(pidmem, victim, tmp_path, need_root, kilobytes):
    """Room for the dump, but hardly for the index: whichever write fails, it is noticed."""
    one = victim("plain")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = (f'mount -t tmpfs -o size={4 + kilobytes}k none "$0" && cd "$0" && '
              '{ "$@" >/dev/null; code=$?; ls -A . >"../left"; cat d d.index >/dev/null; exit $code; } 2>"../err"')
    result = pidmem("dump", "-R", f"{one.bytes:x}-{one.bytes + 4 * PAGE:x}", "-o", "d", one.pid,
                    before=["unshare", "--mount", "sh", "-c", script, disk])
    left = (tmp_path / "left").read_text().split()
    assert (result.code, left) in ((0, ["d", "d.index"]), (2, [])), (tmp_path / "err").read_text()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("old", [None, b"precious"], ids=["new", "force"])
def test_interrupt_in_the_middle(pidmem, victim, tmp_path, kernel, name, old):
    _, process, folder = stopped_while_writing(pidmem, victim, tmp_path, *(["--force"] if old else []), before=kernel,
                                               old=old)
    os.kill(process.pid, getattr(signal, name))
    os.kill(process.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=20)
    check_failed(process.returncode, out, err.decode())
    assert sorted(os.listdir(folder)) == (["d", "d.index"] if old else [])
    assert not old or {(folder / name).read_bytes() for name in ("d", "d.index")} == {old}


def test_interrupt_of_a_split_dump(pidmem, victim, tmp_path):
    one = victim("leave", SIZE << 1)
    process = pidmem.start("dump", "--split", tmp_path / "parts", one.pid)
    if not catch(process):
        pytest.skip("the dump was done before it could be interrupted")
    os.kill(process.pid, signal.SIGINT)
    os.kill(process.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=20)
    check_failed(process.returncode, out, err.decode())
    assert os.listdir(tmp_path) == []


def test_killed_in_the_middle(pidmem, victim, tmp_path):
    """Nobody can clean up after SIGKILL, so what is half-written has no name."""
    _, process, folder = stopped_while_writing(pidmem, victim, tmp_path)
    process.kill()
    process.communicate(timeout=20)
    assert os.listdir(folder) == []


def test_file_that_appears_meanwhile_is_kept(pidmem, victim, tmp_path, kernel):
    """Between the first look and the end somebody else wrote a file of that name."""
    for name in ("d", "d.index"):
        folder = tmp_path / f"for {name}"
        folder.mkdir()
        _, process, folder = stopped_while_writing(pidmem, victim, folder, before=kernel)
        (folder / name).write_bytes(b"precious")
        os.kill(process.pid, signal.SIGCONT)
        out, err = process.communicate(timeout=20)
        check_failed(process.returncode, out, err.decode())
        assert os.listdir(folder) == [name] and (folder / name).read_bytes() == b"precious"


def test_without_unnamed_files(pidmem, victim, tmp_path):
    one = victim("plain")
    one.stop()
    name = "d"
    result = pidmem("dump", "--consistency=live", "-o", tmp_path / name, one.pid, before=OLD)
    assert result.code == 0, result
    assert {entry.name: entry.stat().st_mode & 0o7777 for entry in tmp_path.iterdir()} == \
        {"d": 0o600, "d.index": 0o600}
    _, dump = take(pidmem, one.pid, tmp_path, name="other")
    dump.close()
    assert (tmp_path / "other").read_bytes() == (tmp_path / "d").read_bytes()


def test_file_size_limit(pidmem, victim, tmp_path, kernel):
    """RLIMIT_FSIZE ends a process by SIGXFSZ, unless it sees to it."""
    one = victim("leave", 16)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))

    result = pidmem.fails("dump", "-o", tmp_path / "d", one.pid, before=kernel, preexec_fn=limit)
    assert "too large" in result.err or "limit" in result.err, result
    assert os.listdir(tmp_path) == []


def test_few_descriptors(pidmem, victim, tmp_path):
    """Hundreds of mapped files, and hardly a descriptor to open them with."""
    paths = []
    for number in range(200):
        paths.append(tmp_path / f"file{number}")
        paths[-1].write_bytes(b"content %d" % number)
    one = victim("mapfiles", *paths)

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))

    folder = tmp_path / "out"
    folder.mkdir()
    _, dump = take(pidmem, one.pid, folder, preexec_fn=limit)
    with dump:
        for number in range(200):
            content = b"content %d\0" % number
            assert dump.read(one.facts[f"file{number + 1}"], len(content)) == content


def test_umask_never_adds(pidmem, plain, tmp_path):
    for umask in (0, 0o022, 0o277):
        old = os.umask(umask)
        try:
            name = f"d{umask}"
            result = pidmem("dump", "-o", tmp_path / name, plain.pid)
        finally:
            os.umask(old)
        assert result.code == 0, result
        assert (tmp_path / name).stat().st_mode & 0o7777 == 0o600 & ~umask


def test_ignored_interrupt_stays_ignored(pidmem, victim, tmp_path):
    """Under nohup a hang-up does not end the dump."""
    one = victim("leave", 64)
    process = pidmem.start("dump", "-o", tmp_path / "d", one.pid, before=["nohup"])
    os.kill(process.pid, signal.SIGSTOP)
    os.kill(process.pid, signal.SIGCONT)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_interrupt_while_a_pipe_is_full(pidmem, victim, tmp_path):
    one = victim("leave", SIZE)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = pidmem.start("dump", "-o", fifo, one.pid)
    with open(fifo, "rb", buffering=0) as stream:
        assert stream.read(4096)
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.count(b"pidmem: ")) == (2, b"", 1), (process.returncode, err)
    assert os.listdir(tmp_path) == ["fifo"]


def test_broken_pipe_in_the_middle(pidmem, victim, tmp_path):
    one = victim("leave", SIZE)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = pidmem.start("dump", "-o", fifo, one.pid)
    with open(fifo, "rb", buffering=0) as stream:
        assert stream.read(4096)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.count(b"pidmem: ")) == (2, b"", 1), (process.returncode, err)
    assert os.listdir(tmp_path) == ["fifo"]



@pytest.mark.parametrize("output", [["-o", "d"], ["--split", "d"]], ids=["file", "split"])
def test_dump_without_its_report_is_removed(pidmem, plain, tmp_path, output):
    """Exit 2 leaves nothing behind, not even if it is only the report that could not be given."""
    with open("/dev/full", "wb") as full:
        result = pidmem("dump", *output, plain.pid, stdout=full, cwd=tmp_path)
    assert result.code == 2 and "hint: " in result.err, result
    assert os.listdir(tmp_path) == []


def test_no_dump_without_a_reader_of_its_report(pidmem, plain, tmp_path):
    ours, theirs = os.pipe()
    os.close(ours)
    (tmp_path / "d").write_bytes(b"precious")
    result = pidmem("dump", "--force", "-o", "d", plain.pid, stdout=theirs, cwd=tmp_path)
    os.close(theirs)
    assert result.code == 2 and "hint: " in result.err, result
    assert (tmp_path / "d").read_bytes() == b"precious" and os.listdir(tmp_path) == ["d"]


def test_what_is_left_out_has_its_reason(pidmem, plain, tmp_path):
    text = pidmem("dump", "-R", "heap", "-R", "vdso", "-o", tmp_path / "d", plain.pid).text
    assert "not selected" in text and "of the kernel" in text and "left out" not in text, text


def test_stream_without_index_is_a_note(pidmem, plain):
    result = pidmem("dump", "-o", "/dev/null", plain.pid)
    assert "index" in result.err and "index" not in result.text, result
    assert pidmem("dump", "-q", "-o", "/dev/null", plain.pid).err == ""


def test_last_line_of_progress_is_what_was_read(pidmem, victim):
    """Not the address space: this one has reserved 20 TiB."""
    one = victim("reserve")
    result = pidmem("dump", "--progress=always", "-o", "/dev/null", one.pid)
    last = [line for line in result.err.splitlines() if "%" in line][-1]
    assert last.startswith("100%") and "TiB" not in last, result


def test_what_could_not_be_read_names_the_process(pidmem, victim, user_dir, as_user):
    one = victim("uffd", user=as_user)
    result = pidmem("dump", "-o", "/dev/null", one.pid, user=as_user)
    if result.code == 0:
        pytest.skip("this user may read shared memory past the process")
    told = next(line for line in result.err.splitlines() if "could not be read" in line)
    assert f"process {one.pid} (uffd)" in told and "CAP_CHECKPOINT_RESTORE" in result.err.split("hint: ")[1], result


def test_directory_that_was_there_outlives_a_lost_report(pidmem, plain, tmp_path):
    """What the dump made is removed, and nothing else."""
    folder = tmp_path / "there"
    folder.mkdir()
    with open("/dev/full", "wb") as full:
        result = pidmem("dump", "--split", folder, plain.pid, stdout=full)
    assert result.code == 2, result
    assert folder.is_dir() and not list(folder.iterdir())
