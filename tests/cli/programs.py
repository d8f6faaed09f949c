# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real programs: started for a test, talked to, and ended with it, by their own PIDs."""

import contextlib
import glob
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest
from conftest import identity

PATIENCE = 60  # seconds for a program to start


class Program:
    """A started program. Ends with the block, by its own PID."""

    def __init__(self, command, user=None, **options):
        options.setdefault("stdout", subprocess.PIPE)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, **identity(user), **options)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGCONT)
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()

    def wait_for(self, line):
        while (got := self.process.stdout.readline()) and line not in got:
            pass
        assert got, f"the program ended without {line}"

    def stop(self):
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)


def need(*names):
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    pytest.skip(f"{' or '.join(names)} is not installed")


def connect(path):
    """A socket to a server that is about to listen."""
    deadline = time.monotonic() + PATIENCE
    while True:
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(str(path))
            return server
        except OSError:
            server.close()
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.01)


@contextlib.contextmanager
def redis_server(folder, *args):
    """A redis that saves nothing and listens on folder/s: (program, socket)."""
    with Program([need("redis-server"), "--port", "0", "--unixsocket", folder / "s", "--save", "", "--dir", folder,
                  "--appendonly", "no", *args], stdout=subprocess.DEVNULL) as server, connect(folder / "s") as client:
        yield server, client


def put_keys(client, count, value):
    """SET key:I value-I, by many commands at once."""
    with client.makefile("rb") as answers:
        client.sendall(b"".join(b"SET key:%d " % i + value % i + b"\r\n" for i in range(count)))
        assert all(answers.readline() == b"+OK\r\n" for _ in range(count))


def postgres_tools():
    config = shutil.which("pg_config")
    folders = [subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False).stdout.strip()] \
        if config else []
    for folder in folders + sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True):
        if os.access(folder + "/initdb", os.X_OK) and os.access(folder + "/postgres", os.X_OK):
            return folder
    pytest.skip("postgres is not installed")


@contextlib.contextmanager
def postgres_server(folder, user, *settings):
    """A postgres of that user, that listens in the folder: (program, function that starts a psql)."""
    tools = postgres_tools()
    subprocess.run([tools + "/initdb", "--no-sync", "-A", "trust", "-U", "me", "-D", folder / "data"], check=True,
                   capture_output=True, cwd=folder, **identity(user))
    with Program([tools + "/postgres", "-D", folder / "data", "-k", folder, "-h", "", "-p", "5432", "-F", *settings],
                 user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder) as server:
        connect(folder / ".s.PGSQL.5432").close()
        yield server, lambda: Program(["psql", "-qAt", "-h", folder, "-U", "me", "postgres"], user, cwd=folder)


@contextlib.contextmanager
def pgbench(folder, user, *args):
    """Clients that change accounts until the block ends."""
    bench = [postgres_tools() + "/pgbench", "-h", folder, "-U", "me"]
    subprocess.run([*bench, "-i", "-q", "postgres"], check=True, capture_output=True, cwd=folder, **identity(user))
    with Program([*bench, "-n", "-T", "600", "-c", "2", "-P", "1", *args, "postgres"], user, cwd=folder,
                 stderr=subprocess.STDOUT) as clients:
        clients.wait_for(b"progress: ")
        yield clients


def put_rows(client, count):
    """A table of rows `postgres-row-I-end`, by a psql."""
    client.process.stdin.write(b"CREATE TABLE t AS SELECT 'postgres-row-' || i || '-end' AS c"
                               b" FROM generate_series(1, %d) i;\nSELECT 'ready';\n" % count)
    client.process.stdin.flush()
    client.wait_for(b"ready")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def title(pid):
    with open(f"/proc/{pid}/cmdline") as file:
        return file.read()


@contextlib.contextmanager
def all_stopped(pids):
    """By SIGSTOP, and running again afterwards."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        for pid in pids:
            wait_for_stop(pid)
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def wait_for_stop(pid):
    while open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "T":
        time.sleep(0)


PYTHON = "data = [b'python-object-%d-end' % i for i in range(20000)]; print('ready', flush=True); input()"
NODE = ("const data = []; for (let i = 0; i < 20000; i++) data.push(Buffer.from('node-buffer-' + i + '-end'));"
        "console.log('ready'); process.stdin.resume(); globalThis.data = data;")
JAVA = """
public class Known {
    static byte[][] data = new byte[20000][];
    public static void main(String[] args) throws Exception {
        for (int i = 0; i < data.length; i++) data[i] = ("java-array-" + i + "-end").getBytes("UTF-8");
        System.out.println("ready");
        System.in.read();
    }
}
"""


def compiled_java(folder, name, source):
    """The class NAME of that source in the folder, ready to be started."""
    (folder / f"{name}.java").write_text(source)
    done = subprocess.run([need("java"), "-m", "jdk.compiler/com.sun.tools.javac.Main", "-d", folder, folder / f"{name}.java"],
                          capture_output=True, text=True, check=False)
    if "jdk.compiler not found" in done.stdout + done.stderr:
        pytest.skip("this Java has no compiler (Debian default-jdk-headless)")
    assert done.returncode == 0, done
    return ["-cp", folder, name]


def java_program(folder):
    """The command line of the program above. The heap has the size that it is given: all of it goes into each core."""
    return [need("java"), "-Xmx96m", *compiled_java(folder, "Known", JAVA)]
