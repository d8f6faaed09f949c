# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures: the command under test, the victims, an ordinary user. PIDMEM names the binary."""

import json
import os
import pathlib
import pwd
import select
import shutil
import signal
import subprocess
import tempfile

import pytest
from engines import ENGINES, WAYS, tracking_lacks
from hanging import what_it_does
from pools import huge_pages, swap  # noqa: F401 (fixtures)

ROOT = pathlib.Path(__file__).resolve().parents[2]
PIDMEM = pathlib.Path(os.environ.get("PIDMEM", ROOT / "build" / "pidmem")).absolute()


def ordinary_user():
    """A user without rights, of whom /etc/passwd knows (initdb asks): the first that was added, else nobody."""
    try:
        return pwd.getpwuid(1000).pw_uid
    except KeyError:
        return pwd.getpwnam("nobody").pw_uid


ORDINARY = ordinary_user()
# Shared memory that the target does not have in its page tables needs root; others are told of it, with exit 3.
BLIND = 0 if os.geteuid() == 0 else 3
CLASSES = ("read", "zero", "excluded", "no_content", "unreadable")
PAGE = 4096


def find_targets():
    """The victims, built beside the command."""
    if "PIDMEM_TARGETS" in os.environ:
        return pathlib.Path(os.environ["PIDMEM_TARGETS"]).absolute()
    for folder in [*PIDMEM.parents, *PIDMEM.resolve().parents]:
        if (folder / "tests" / "targets" / "plain").exists():
            return folder / "tests" / "targets"
    return ROOT / "build" / "tests" / "targets"


TARGETS = find_targets()


def pytest_sessionstart():
    for needed in (PIDMEM, TARGETS / "plain"):
        if not needed.exists():
            pytest.exit(f"{needed} is not built", 2)
    # Under nohup(1), or in the background of a script, they are ignored, and the programs under test inherit that.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    item.passed = getattr(item, "passed", True) and report.passed


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item):
    """pytest keeps what the tests of three runs have written: 40 GiB of cores. Of a test that passed nobody needs it."""
    folder = item.funcargs.get("tmp_path")
    yield
    if folder and item.passed:
        shutil.rmtree(folder, ignore_errors=True)


def pattern(pages, seed, first=0):
    """The bytes that fill() of victim.h writes."""
    rest = bytes((i * 7 + seed + 1) & 0xFF for i in range(16, PAGE))
    return b"".join(b"%04x:%010x\n" % (seed & 0xFFFF, page) + rest for page in range(first, first + pages))


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err.decode(errors="surrogateescape")

    @property
    def text(self):
        return self.out.decode(errors="surrogateescape")

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out[:2000]!r}\nstderr: {self.err[:2000]}"


@pytest.fixture(scope="session")
def public_build():
    """(command, victims, environment) in a place where an ordinary user can run them."""
    if os.geteuid() != 0:
        yield PIDMEM, TARGETS, {}
        return
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pidmem-test-"))
    folder.chmod(0o755)
    shutil.copytree(TARGETS, folder / "targets", ignore=shutil.ignore_patterns("*.p", "*.ninja"))
    (folder / "targets").chmod(0o755)
    shutil.copy(PIDMEM, folder / "pidmem")
    (folder / "pidmem").chmod(0o755)
    linked = subprocess.run(["ldd", PIDMEM.resolve()], capture_output=True, text=True, check=False).stdout
    for line in linked.splitlines():
        if "libpidmem" in line and "=> /" in line:
            shutil.copy(line.split()[2], folder / line.split()[0])
    yield folder / "pidmem", folder / "targets", {"LD_LIBRARY_PATH": str(folder)}
    shutil.rmtree(folder)


@pytest.fixture
def user_dir():
    """A directory of an ordinary user, in a place that this user can reach."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pidmem-test-"))
    if os.geteuid() == 0:
        os.chown(folder, ORDINARY, ORDINARY)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def kernel_thread():
    """The PID of a kernel thread: kthreadd, outside of containers."""
    try:
        with open("/proc/2/comm", "rb") as comm:
            if comm.read() == b"kthreadd\n":
                return 2
    except FileNotFoundError:
        pass
    pytest.skip("no kernel thread can be seen in this PID namespace")


@pytest.fixture
def as_user():
    """The uid of an ordinary user, to be given as user=; None if the tests run as one already."""
    return ORDINARY if os.geteuid() == 0 else None


def can(way):
    lacks = tracking_lacks() if way == "precopy" else None
    if lacks:
        pytest.skip(f"the kernel cannot track writes: {lacks}")
    return way


@pytest.fixture(params=ENGINES)
def engine(request):
    """Each engine for snapshots."""
    return can(request.param)


@pytest.fixture(params=WAYS)
def way(request):
    """Each way to hold one moment."""
    return can(request.param)


@pytest.fixture
def need_root():
    if os.geteuid() != 0:
        pytest.skip("needs root")


def identity(user):
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


class Pidmem:
    """Runs the command. Call it for a result, or start() it to do something meanwhile."""

    def __init__(self, public):
        self.public = public
        self.started = []

    def done(self):
        """End what a failed test has left running."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()

    def command(self, args, user, before):
        binary, _, env = self.public if user is not None else (PIDMEM, None, {})
        return [*map(os.fspath, before), os.fspath(binary), *[a if isinstance(a, bytes) else str(a) for a in args]], env

    def start(self, *args, user=None, before=(), env=None, **options):
        command, extra = self.command(args, user, before)
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        process = subprocess.Popen(command, env={**os.environ, **extra, **(env or {})}, **identity(user), **options)
        self.started.append(process)
        return process

    def __call__(self, *args, timeout=120, **options):
        process = self.start(*args, **options)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            pytest.fail(f"pidmem {args} did not end in {timeout} s:\n{what_it_does(process.pid)}", pytrace=False)
        return Result(process.returncode, out or b"", err or b"")

    def fails(self, *args, code=2, hint=True, **options):
        """Runs it where it must fail: nothing on stdout, one line `pidmem: ` and a hint on stderr."""
        result = self(*args, **options)
        assert result.code == code, result
        assert result.out == b"", result
        lines = result.err.splitlines()
        assert [line.startswith("pidmem: ") for line in lines].count(True) == 1, result
        assert lines[0].startswith("pidmem: "), result
        assert all(line.startswith("hint: ") for line in lines[1:]), result
        assert len(lines) > 1 or not hint, result
        return result


@pytest.fixture
def pidmem(public_build):
    command = Pidmem(public_build)
    yield command
    command.done()


class Victim:
    """A started victim; its facts are attributes."""

    def __init__(self, process):
        self.process = process
        self.pid = process.pid
        self.facts = {}
        self.ending = 0
        self.said = b""

    def __getattr__(self, key):
        try:
            return self.__dict__["facts"][key]
        except KeyError:
            raise AttributeError(key) from None

    def line(self):
        """The next line, past Python's own buffering, which select() knows nothing of."""
        while b"\n" not in self.said:
            waiting, _, _ = select.select([self.process.stdout], [], [], 60)
            assert waiting, "the victim says nothing"
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                return ""
            self.said += more
        line, _, self.said = self.said.partition(b"\n")
        return line.decode()

    def listen(self):
        while (line := self.line()) != "ready":
            key, _, value = line.partition("=")
            if key == "skip":
                pytest.skip(value)
            assert key not in ("", "error"), f"victim: {line}"
            self.facts[key] = int(value, 0) if value[:1].isdigit() else value

    def tell(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, line):
        self.tell(line)
        return self.line()

    def stop(self):
        """SIGSTOP, and wait until it has stopped."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def end(self):
        """Close its input, and take what it says of its end: a victim that was disturbed says so."""
        os.kill(self.pid, signal.SIGCONT) if self.process.poll() is None else None
        self.process.stdin.close()
        try:
            self.ending = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.ending = self.process.wait()
        self.process.stdout.close()
        return self.ending


@pytest.fixture
def victim(public_build):
    """victim(name, args…, user=None, before=()) starts one; it is ended with the test and must end well."""
    started = []

    def start(name, *args, user=None, before=(), binary=None, well=True, **options):
        targets = public_build[1] if user is not None else TARGETS
        command = [*map(os.fspath, before), os.fspath(binary or targets / name),
                   *[a if isinstance(a, bytes) else str(a) for a in args]]
        one = Victim(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **identity(user),
                                      **options))
        started.append((one, well))
        one.listen()
        return one

    yield start
    endings = [(one.end(), well) for one, well in reversed(started)]
    assert all(ending == 0 for ending, well in endings if well), f"a victim was disturbed: {endings}"


@pytest.fixture
def plain(victim):
    return victim("plain")


def check_account(account):
    """The five classes add up, and all are there."""
    assert all(isinstance(account[key], int) and account[key] >= 0 for key in CLASSES), account
    assert account["total"] == sum(account[key] for key in CLASSES), account
    return account
