# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real programs at work, saved with each engine: what they have written is in the file as it was at one moment, they go
on, and nobody who waits for them gives up."""

import contextlib
import re
import subprocess
import threading

import pytest
from core_reader import Core
from engines import given
from freezing import SANITIZED, held_back, rounds, save, wait_until
from programs import Program, children, compiled_java, need, pgbench, postgres_server, redis_server
from redis_memory import contents, need_layout
from saved_file import Hole

pytestmark = pytest.mark.skipif(SANITIZED, reason="victims ask for all that programs do, and in less time")

KEYS = 2000


class Setter(threading.Thread):
    """One client that sets key N % KEYS to N, for N = 0, 1, 2..., so that the keys tell which N was the last."""

    def __init__(self, client):
        super().__init__()
        self.client, self.answers = client, client.makefile("rb")
        client.settimeout(20)
        self.number, self.failed, self.done = 0, None, threading.Event()
        self.some(KEYS)

    def some(self, count):
        numbers = range(self.number, self.number + count)
        self.client.sendall(b"".join(b"SET key:%d number-%d-end\r\n" % (number % KEYS, number) for number in numbers))
        for _ in numbers:
            answer = self.answers.readline()
            assert answer == b"+OK\r\n", answer
        self.number += count

    def run(self):
        try:
            while not self.done.is_set():
                self.some(50)
        except (AssertionError, OSError) as error:
            self.failed = error

    def end(self):
        self.done.set()
        self.join()
        assert self.failed is None, f"a client was let down: {self.failed}"


@contextlib.contextmanager
def benchmark(folder):
    """redis-benchmark, in a database of its own, with memory that comes and goes."""
    with Program([need("redis-benchmark"), "-s", folder / "s", "--dbnum", "1", "-l", "-c", "4", "-r", "20000", "-d",
                  "300", "-t", "set,lpush,lpop", "-q"], stderr=subprocess.STDOUT) as program:
        yield program


def last_set(found):
    """The number that was set last; fails unless every key has the one that it then had."""
    assert len(found) == KEYS
    numbers = {int(key.split(b":")[1]): int(re.fullmatch(rb"number-(\d+)-end", value)[1])
               for key, value in found.items()}
    last = max(numbers.values())
    wrong = {key: number for key, number in numbers.items() if number != last - (last - key) % KEYS}
    assert wrong == {}, f"the last one is {last}: {len(wrong)} are not of that moment: {dict(list(wrong.items())[:4])}"
    return last


@pytest.mark.timeout(300)
def test_redis_under_load(pidmem, tmp_path, engine):
    """Its keys and values in the core are those of one moment."""
    symbol = need_layout()
    with redis_server(tmp_path) as (redis, client):
        setter = Setter(client)
        setter.start()
        with benchmark(tmp_path):
            seen = set()
            for _ in range(rounds(15)):
                report, core = save(pidmem, redis.pid, tmp_path / "core", way=engine)
                with core:
                    try:
                        seen.add(last_set(contents(core, symbol)))
                    except Hole as hole:
                        pytest.fail(f"{hole}: {report}")
        assert len(seen) > 1, "nothing was set meanwhile: nothing was proved"
        setter.end()
        wait_until(held_back, redis.pid)


@pytest.mark.timeout(300)
def test_redis_read_live(pidmem, tmp_path):
    """The client is fast enough for the test above to fail; values that were freed meanwhile make no sense at all."""
    symbol = need_layout()
    with redis_server(tmp_path) as (redis, client):
        setter = Setter(client)
        setter.start()
        try:
            for _ in range(300):
                _, core = save(pidmem, redis.pid, tmp_path / "core", way="live")
                with core:
                    last_set(contents(core, symbol))
        except Exception:  # noqa: BLE001 (whatever does not fit)
            return
        finally:
            setter.end()
    pytest.fail("live views were of one moment 300 times")


def shared_memory(pid):
    """(start, size) of the largest shared mapping."""
    ranges = [line.split()[0] for line in open(f"/proc/{pid}/maps") if line.split()[1] == "rw-s"]
    sizes = [(int(end, 16) - int(start, 16), int(start, 16)) for start, _, end in (one.partition("-") for one in ranges)]
    size, start = max(sizes)
    return start, size


def shared_in_cores(pids, folder):
    """What shared memory is in the core of each of these processes; the cores are removed."""
    start, size = shared_memory(pids[0])
    found = []
    for pid in pids:
        with Core(folder / f"core.{pid}") as core:
            assert core.check() == [] and core.threads[0].pid == pid
            found.append(core.read(start, size))
    for file in folder.iterdir():
        file.unlink()
    return found


@pytest.mark.timeout(300)
def test_postgres_under_load(pidmem, user_dir, tmp_path, as_user, need_root, engine):
    """Under pgbench shared memory is in the cores of all processes of the tree: the same bytes. One by one it is not."""
    with postgres_server(user_dir, as_user, "-c", "shared_buffers=1MB", "-c", "max_connections=10",
                         "-c", "autovacuum=off") as (server, _), pgbench(user_dir, as_user) as clients:
        pids = [server.pid, *children(server.pid)]
        assert len(pids) > 6
        seen = set()
        for _ in range(rounds(5)):
            result = pidmem("core", "--tree", "--shared=paused", *given(engine), server.pid, cwd=tmp_path)
            assert result.code == 0, result
            found = shared_in_cores(pids, tmp_path)
            assert all(one == found[0] for one in found), "the processes were not frozen together"
            seen.add(found[0])
        assert len(seen) > 1, "the server stood still: nothing was proved"
        for pid in pids:
            assert pidmem("core", "--shared=paused", *given(engine), pid, cwd=tmp_path).code == 0
        found = shared_in_cores(pids, tmp_path)
        if all(one == found[0] for one in found):
            pytest.fail("cores taken one by one were of one moment: the test above cannot fail")
        for pid in pids:
            wait_until(held_back, pid, children(pid))
        for _ in range(2):
            clients.wait_for(b" 0 failed")  # they go on, and not one of their transactions has failed


# Two machines with their own memory management. Each writes a number in order to places far apart, outside of the heap,
# allocates in another thread, or in between, and looks whether everything is as it left it.
PLACE = re.compile(rb"pidmem-place(.)\xfe\xff\xfd(.{8})", re.DOTALL)
JAVA = """
import java.nio.*;
import java.util.*;
public class Busy {
    static volatile long wrong = 0;
    static void allocate() {
        Random random = new Random(7);
        long[][] kept = new long[1000][];
        for (long round = 0; ; round++) {
            int i = random.nextInt(kept.length);
            if (kept[i] != null)
                for (long number : kept[i])
                    if (number != kept[i][0]) wrong++;
            kept[i] = new long[1 + random.nextInt(4000)];
            Arrays.fill(kept[i], round);
        }
    }
    public static void main(String[] args) throws Exception {
        ByteBuffer places = ByteBuffer.allocateDirect(64 * 65536).order(ByteOrder.LITTLE_ENDIAN);
        while (places.hasRemaining()) places.put((byte)1);
        for (int i = 0; i < 64; i++) {
            places.position(i * 65536);
            places.put("pidmem-place".getBytes("UTF-8")).put((byte)i);
            places.put((byte)0xfe).put((byte)0xff).put((byte)0xfd);
        }
        Thread writer = new Thread(() -> {
            for (long number = 1; ; number++)
                for (int i = 0; i < 64; i++) { places.putLong(i * 65536 + 16, number);
                    java.lang.invoke.VarHandle.fullFence(); }
        });
        Thread allocator = new Thread(Busy::allocate);
        for (Thread thread : new Thread[] { writer, allocator }) { thread.setDaemon(true); thread.start(); }
        System.out.println("ready");
        while (System.in.read() == '?') System.out.println("wrong " + wrong + " at " + places.getLong(16));
        System.exit(wrong == 0 ? 0 : 1);
    }
}
"""
NODE = """
const places = Buffer.alloc(64 * 65536, 1);
for (let i = 0; i < 64; i++) {
    places.write('pidmem-place', i * 65536);
    places.set([i, 0xfe, 0xff, 0xfd], i * 65536 + 12);
}
let number = 1n, wrong = 0;
const numbers = new BigUint64Array(places.buffer, places.byteOffset), kept = [];
function work() {
    for (let round = 0; round < 200; round++, number++) {
        for (let i = 0; i < 64; i++) numbers[i * 8192 + 2] = number;
        const i = Math.floor(Math.random() * 2000), old = kept[i];
        if (old && !old.list.every((each) => each === old.text)) wrong++;
        const text = 'text-' + number;
        kept[i] = { text, list: new Array(1 + Math.floor(Math.random() * 500)).fill(text) };
    }
    setImmediate(work);
}
work();
console.log('ready');
process.stdin.on('data', () => console.log('wrong ' + wrong + ' at ' + number));
process.stdin.on('end', () => process.exit(wrong ? 1 : 0));
"""


def places(core):
    """The numbers at all places, in the order in which they are written."""
    found = {}
    for segment in core.segments:
        for at in range(segment.start, segment.start + segment.filesz if "w" in segment.perms else 0, 16 << 20):
            data = core.read(at, min(16 << 20, segment.start + segment.filesz - at))
            for match in PLACE.finditer(data):
                found.setdefault(match[1][0], []).append(int.from_bytes(match[2], "little"))
    assert sorted(found) == list(range(64)) and all(len(one) == 1 for one in found.values()), found
    return [found[i][0] for i in range(64)]


def ask(program):
    """How far it has come; fails if it found something wrong."""
    program.process.stdin.write(b"?")
    program.process.stdin.flush()
    answer = program.process.stdout.readline().split()
    assert answer[:2] == [b"wrong", b"0"], answer
    return int(answer[-1])


def check_machine(pidmem, command, folder, engine):
    with Program(command) as program:
        program.wait_for(b"ready")
        seen = set()
        for _ in range(rounds(8)):
            _, core = save(pidmem, program.pid, folder / "core", way=engine)
            with core:
                numbers = places(core)
            assert numbers == sorted(numbers, reverse=True) and numbers[0] - numbers[-1] <= 1, numbers
            seen.add(numbers[0])
            before = ask(program)
            wait_until(lambda: [] if ask(program) > before else "it does not go on")
        assert len(seen) > 1, "it stood still: nothing was proved"
        wait_until(held_back, program.pid)
        program.process.stdin.close()
        assert program.process.wait(20) == 0


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    return compiled_java(tmp_path_factory.mktemp("java"), "Busy", JAVA)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("collector", ["Serial", "G1", "Z"])
def test_java_under_load(pidmem, tmp_path, engine, collector, busy):
    check_machine(pidmem, ["java", "-Xmx96m", f"-XX:+Use{collector}GC", *busy], tmp_path, engine)


@pytest.mark.timeout(300)
def test_node_under_load(pidmem, tmp_path, engine):
    check_machine(pidmem, [need("node", "nodejs"), "-e", NODE], tmp_path, engine)


@pytest.mark.timeout(300)
def test_node_read_live(pidmem, tmp_path):
    """It is fast enough for the test above to fail."""
    with Program([need("node", "nodejs"), "-e", NODE]) as program:
        program.wait_for(b"ready")
        for _ in range(50):
            _, core = save(pidmem, program.pid, tmp_path / "core", way="live")
            with core:
                numbers = places(core)
            if numbers != sorted(numbers, reverse=True) or numbers[0] - numbers[-1] > 1:
                return
    pytest.fail("live views were of one moment 50 times")
