# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs in use, dumped and held against the independent reader: every byte equal, every hole explained."""

import os
import subprocess

import pytest
from conftest import BLIND
from dumping import take
from oracle import judge, regions
from programs import (NODE, PYTHON, Program, all_stopped, children, java_program, need, postgres_server, put_keys, put_rows,
                      redis_server, title)


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


def test_redis(pidmem, user_dir):
    with redis_server(user_dir) as (redis, client):
        put_keys(client, 20000, b"value-of-key-%d-end")
        redis.stop()
        check(pidmem, redis.pid, user_dir, [b"value-of-key-%d-end" % i for i in range(0, 20000, 999)])


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
    with Program(java_program(user_dir)) as machine:
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


def test_postgres(pidmem, user_dir, as_user):
    """Shared buffers that one process filled and another looks at: root reads them from the postmaster as well."""
    with postgres_server(user_dir, as_user) as (server, psql), psql() as client:
        put_rows(client, 5000)
        backend = next(pid for pid in children(server.pid) if "me postgres" in title(pid))
        rows = [b"postgres-row-%d-end" % i for i in range(1, 5000, 499)]
        with all_stopped([server.pid, *children(server.pid)]):
            check(pidmem, backend, user_dir, rows, code=BLIND)
            if os.geteuid() == 0:
                check(pidmem, server.pid, user_dir, rows)


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
