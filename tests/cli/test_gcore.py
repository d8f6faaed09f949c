# SPDX-License-Identifier: LGPL-2.1-or-later
"""`gcore`, in place of gdb's: arguments, file names, messages, exit status, and a program that calls it."""

import os
import shutil
import signal
import stat
import subprocess

import pytest
from conftest import PIDMEM
from core_reader import Core

USAGE = b"usage:  gcore [-a] [-o prefix] pid1 [pid2...pidN]\n"


@pytest.fixture
def link(tmp_path):
    """A directory with nothing but a link `gcore` to pidmem."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "gcore").symlink_to(PIDMEM.resolve())
    return folder / "gcore"


@pytest.fixture(params=["pidmem gcore", "gcore"])
def gcore(request, pidmem, link, tmp_path):
    """gcore(args…) runs it in an empty directory; .folder is that."""
    folder = tmp_path / "cores"
    folder.mkdir()

    def run(*args):
        if request.param == "pidmem gcore":
            return pidmem("gcore", *args, cwd=folder)
        return pidmem(*args, cwd=folder, before=["sh", "-c", 'shift; exec "$0" "$@"', link])

    run.folder = folder
    return run


def check_core(path, pid):
    assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600
    with Core(path) as core:
        assert core.check() == [] and core.threads[0].pid == pid


def test_one(gcore, plain):
    result = gcore(plain.pid)
    assert (result.code, result.text, result.err) == (0, f"Saved corefile core.{plain.pid}\n", ""), result
    check_core(gcore.folder / f"core.{plain.pid}", plain.pid)


@pytest.mark.parametrize("option", [["-o", "sub/pre"], ["-osub/pre"], ["-a", "-o", "sub/pre"], ["-aosub/pre"]])
def test_prefix(gcore, plain, option):
    (gcore.folder / "sub").mkdir()
    result = gcore(*option, plain.pid)
    assert (result.code, result.text) == (0, f"Saved corefile sub/pre.{plain.pid}\n"), result
    check_core(gcore.folder / "sub" / f"pre.{plain.pid}", plain.pid)


def test_prefix_is_never_standard_output(gcore, plain):
    assert gcore("-o", "-", plain.pid).code == 0
    assert os.listdir(gcore.folder) == [f"-.{plain.pid}"]


def test_several(gcore, victim):
    pids = [victim("plain").pid for _ in range(3)]
    result = gcore(*pids)
    assert (result.code, result.text) == (0, "".join(f"Saved corefile core.{pid}\n" for pid in pids)), result
    for pid in pids:
        check_core(gcore.folder / f"core.{pid}", pid)


@pytest.mark.parametrize("wrong", ["gone", "nonsense", "0"])
def test_first_failure_ends_it(gcore, victim, wrong):
    first, last = victim("plain").pid, victim("plain").pid
    if wrong == "gone":
        with subprocess.Popen(["true"]) as gone:
            wrong = str(gone.pid)
    result = gcore(first, wrong, last)
    assert result.code == 1, result
    assert result.text == f"Saved corefile core.{first}\ngcore: failed to create core.{wrong}\n", result
    assert result.err.startswith("pidmem: ") and "hint: " in result.err, result
    assert os.listdir(gcore.folder) == [f"core.{first}"]


@pytest.mark.parametrize("args", [[], ["-a"], ["-x", "1"], ["-o"], ["--nonsense", "1"], ["-j", "1"],
                                  ["-R", "heap", "1"]])
def test_wrong_usage(gcore, args):
    result = gcore(*args)
    assert (result.code, result.out) == (2, USAGE), result
    assert result.err.startswith("pidmem: "), result


def test_existing_file_is_kept(gcore, plain):
    file = gcore.folder / f"core.{plain.pid}"
    file.write_bytes(b"precious")
    result = gcore(plain.pid)
    assert (result.code, result.text) == (1, f"gcore: failed to create core.{plain.pid}\n"), result
    assert "--force" in result.err and file.read_bytes() == b"precious", result
    assert gcore("--force", plain.pid).code == 0
    check_core(file, plain.pid)


def test_help_and_version(gcore):
    text = gcore("--help").text
    assert text.startswith("pidmem gcore - ") and "--consistency" in text
    assert "--json" not in text and "--region" not in text  # which it refuses
    assert gcore("--version").text.startswith("pidmem ")


def test_filter_of_the_target_and_all(gcore, plain):
    """As gdb does, it obeys coredump_filter; with -a it does not."""
    with open(f"/proc/{plain.pid}/coredump_filter", "w") as file:
        file.write("0x0")
    assert gcore(plain.pid).code == gcore("-a", "-o", "all", plain.pid).code == 0
    with Core(gcore.folder / f"core.{plain.pid}") as usual, Core(gcore.folder / f"all.{plain.pid}") as whole:
        assert usual.find(plain.bytes).filesz == 0 and whole.find(plain.bytes).filesz > 0


def test_memory_that_cannot_be_read_is_no_failure(pidmem, victim, tmp_path):
    """gdb's warns of it; the core is there."""
    one = victim("secretmem")
    result = pidmem("gcore", "-a", one.pid, cwd=tmp_path)
    assert result.code == 0 and "could not be read" in result.err, result
    assert result.text == f"Saved corefile core.{one.pid}\n", result


def test_the_real_one_says_the_same(link, victim, tmp_path):
    """Both scripts, side by side: exit status, the line on stdout that others look for, the file."""
    real = shutil.which("gcore")
    if not real or os.path.realpath(real) == os.path.realpath(link):
        pytest.skip("gdb's gcore is not installed")
    one = victim("plain")
    with subprocess.Popen(["true"]) as gone:
        pass
    for args in ([], ["-x"], ["-o", "pre", one.pid], [one.pid], [gone.pid]):
        lines = []
        for name, program in (("ours", link), ("theirs", real)):
            folder = tmp_path / f"{name}{len(args)}{args[:1]}".replace("/", "")
            folder.mkdir(exist_ok=True)
            run = subprocess.run([program, *map(str, args)], cwd=folder, capture_output=True, text=True, check=False,
                                 stdin=subprocess.DEVNULL)
            told = [line for line in run.stdout.splitlines() if line.startswith(("usage:", "Saved", "gcore: "))]
            lines.append((run.returncode, told, sorted(os.listdir(folder))))
        assert lines[0] == lines[1], args


def test_procdump_through_it(link, plain, tmp_path, need_root):
    """Debian's procdump looks at the memory of a process and calls the gcore on the PATH."""
    procdump = shutil.which("procdump")
    if not procdump:
        pytest.skip("procdump is not installed")
    folder = tmp_path / "dumps"
    folder.mkdir()
    # When it has one thread at least, which it has. One dump, and it ends.
    with subprocess.Popen([procdump, "-n", "1", "-s", "1", "-T", "1", "-o", folder / "dump", "-p", str(plain.pid)],
                          env={**os.environ, "PATH": f"{link.parent}:{os.environ['PATH']}"}, cwd=folder,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            out = process.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            pytest.fail(f"procdump does not end: {process.communicate()[0]}")
    files = os.listdir(folder)
    assert len(files) == 1 and files[0].endswith(f".{plain.pid}"), (files, out)
    check_core(folder / files[0], plain.pid)
