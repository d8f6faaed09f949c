# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs in use, dumped and held against the independent reader: every byte equal, every hole explained."""

import glob
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest
from conftest import BLIND, identity
from dumping import take
from oracle import judge, regions

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


def check(pidmem, pid, folder, markers, user=None, code=0):
    """Dump a stopped process, find what is known to be in it, and compare every byte."""
    _, dump = take(pidmem, pid, folder, user=user, code=code)
    with dump:
        with open(dump.path, "rb") as file:
            data = file.read()
        for marker in markers:
            at = data.find(marker)
            assert at >= 0, marker
            record = next(r for r in dump.records if r.offset is not None and r.offset <= at < r.offset + r.size)
            assert dump.read(record.start + at - record.offset, len(marker)) == marker
        assert judge(pid, dump) == []
    os.unlink(dump.path)
    os.unlink(dump.path + ".index")


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


def test_redis(pidmem, user_dir):
    server = need("redis-server")
    with Program([server, "--port", "0", "--unixsocket", user_dir / "s", "--save", "", "--dir", user_dir,
                  "--appendonly", "no"], stdout=subprocess.DEVNULL) as redis:
        with connect(user_dir / "s") as client, client.makefile("rb") as answers:
            client.sendall(b"".join(b"SET key:%d value-of-key-%d-end\r\n" % (i, i) for i in range(20000)))
            assert all(answers.readline() == b"+OK\r\n" for _ in range(20000))
        redis.stop()
        check(pidmem, redis.pid, user_dir, [b"value-of-key-%d-end" % i for i in range(0, 20000, 999)])


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


@pytest.mark.parametrize("role", ["root", "ordinary"])
def test_python(pidmem, user_dir, as_user, role):
    if role == "root" and os.geteuid() != 0:
        pytest.skip("needs root")
    user = as_user if role == "ordinary" else None
    with Program([need("/usr/bin/python3", "python3"), "-c", PYTHON], user) as python:
        python.wait_for(b"ready")
        python.stop()
        check(pidmem, python.pid, user_dir, [b"python-object-%d-end" % i for i in range(0, 20000, 999)], user)


def test_node(pidmem, user_dir):
    with Program([need("node", "nodejs"), "-e", NODE]) as node:
        node.wait_for(b"ready")
        node.stop()
        check(pidmem, node.pid, user_dir, [b"node-buffer-%d-end" % i for i in range(0, 20000, 999)])


def test_java(pidmem, user_dir):
    java = need("java")
    (user_dir / "Known.java").write_text(JAVA)
    modules = subprocess.run([java, "--list-modules"], capture_output=True, text=True, check=False).stdout
    if "jdk.compiler" not in modules:
        pytest.skip("this Java has no compiler (Debian default-jdk-headless)")
    with Program([java, "-Xmx512m", user_dir / "Known.java"]) as machine:
        machine.wait_for(b"ready")
        machine.stop()
        check(pidmem, machine.pid, user_dir, [b"java-array-%d-end" % i for i in range(0, 20000, 999)])


def test_address_sanitizer(pidmem, tmp_path):
    """Terabytes reserved for the shadow, and a file of the size of what is used."""
    source = os.path.dirname(os.path.abspath(__file__)) + "/../targets/reserver.c"
    build = subprocess.run(["gcc", "-fsanitize=address", "-D_GNU_SOURCE", source, "-o", tmp_path / "reserver"],
                           capture_output=True, text=True, check=False)
    if build.returncode:
        pytest.skip(f"no address sanitizer: {build.stderr[:200]}")
    with Program([tmp_path / "reserver"]) as reserver:
        reserver.wait_for(b"ready")
        reserver.stop()
        assert sum(region.size for region in regions(reserver.pid)) > 10 << 40
        report, dump = take(pidmem, reserver.pid, tmp_path)
        with dump:
            assert report["size"]["apparent"] < 512 << 20 and report["account"]["zero"] > 10 << 40
            assert judge(reserver.pid, dump) == []
            with open(dump.path, "rb") as file:
                data = file.read()
            assert all(b"block number %d\0" % i in data for i in range(0, 1000) if i % 3)


def postgres_tools():
    config = shutil.which("pg_config")
    folders = [subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False).stdout.strip()] \
        if config else []
    for folder in folders + sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True):
        if os.access(folder + "/initdb", os.X_OK) and os.access(folder + "/postgres", os.X_OK):
            return folder
    pytest.skip("postgres is not installed")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def title(pid):
    with open(f"/proc/{pid}/cmdline") as file:
        return file.read()


def test_postgres(pidmem, user_dir, as_user):
    """Shared buffers that one process filled and another looks at: root reads them from the postmaster as well."""
    tools = postgres_tools()
    data = user_dir / "data"
    subprocess.run([tools + "/initdb", "--no-sync", "-A", "trust", "-U", "me", "-D", data], check=True,
                   capture_output=True, cwd=user_dir, **identity(as_user))
    with Program([tools + "/postgres", "-D", data, "-k", user_dir, "-h", "", "-p", "5432", "-F"], as_user,
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=user_dir) as server:
        connect(user_dir / ".s.PGSQL.5432").close()
        with Program(["psql", "-qAt", "-h", user_dir, "-U", "me", "postgres"], as_user, cwd=user_dir) as client:
            statement = ("CREATE TABLE t AS SELECT 'postgres-row-' || i || '-end' AS c"
                         " FROM generate_series(1, 5000) i;\nSELECT 'ready';\n")
            client.process.stdin.write(statement.encode())
            client.process.stdin.flush()
            client.wait_for(b"ready")
            backend = next(pid for pid in children(server.pid) if "me postgres" in title(pid))
            rows = [b"postgres-row-%d-end" % i for i in range(1, 5000, 499)]
            stopped = [server.pid, *children(server.pid)]
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            try:
                for pid in stopped:
                    wait_for_stop(pid)
                check(pidmem, backend, user_dir, rows, code=BLIND)
                if os.geteuid() == 0:
                    check(pidmem, server.pid, user_dir, rows)
            finally:
                for pid in stopped:
                    os.kill(pid, signal.SIGCONT)


def wait_for_stop(pid):
    while open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "T":
        time.sleep(0)


def test_while_it_works(pidmem, victim, tmp_path):
    """A process that never stands still: the dump is whole, and what does not change is right."""
    sharing = "MAP_PRIVATE" if BLIND else "MAP_SHARED"
    burn = ("import threading,mmap\nkeep=b'unchanging-%d-end'%42\n"
            "def churn():\n    while True:\n"
            f"        m=mmap.mmap(-1,1<<20,mmap.MAP_ANONYMOUS|mmap.{sharing}); m[:4096]=b'x'*4096; m.close()\n"
            "for _ in range(3): threading.Thread(target=churn,daemon=True).start()\n"
            "print('ready',flush=True); input()")
    with Program([need("/usr/bin/python3", "python3"), "-c", burn]) as python:
        python.wait_for(b"ready")
        for number in range(5):
            _, dump = take(pidmem, python.pid, tmp_path, name=f"d{number}")
            with dump, open(dump.path, "rb") as file:
                assert b"unchanging-42-end" in file.read()
