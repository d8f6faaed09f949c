# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holding a dump in the middle, so that things can happen to it or to its target at a known moment."""

import os
import signal
import time

import pytest

SIZE = 256  # MiB: far more than a pipe and pidmem hold together


class Middle:
    """A dump of a process that runs on; it has begun and waits, because nobody empties the pipe it writes to."""

    def __init__(self, pidmem, pid, folder):
        fifo = folder / "fifo"
        os.mkfifo(fifo)
        self.process = pidmem.start("dump", "--consistency=live", "-o", fifo, pid)
        self.stream = open(fifo, "rb", buffering=0)
        self.data = self.stream.read(4096)
        assert self.data, "no dump has begun"
        while not self.blocked():
            assert self.process.poll() is None
            time.sleep(0)

    def blocked(self):
        """The pipe is full: pidmem sleeps, for that is all it could wait for."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "S"

    def finish(self):
        chunks = [self.data]
        while chunk := self.stream.read(1 << 20):
            chunks.append(chunk)
        self.stream.close()
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err.decode(), b"".join(chunks)


def check_failed(code, out, err):
    assert (code, out) == (2, b""), (code, out, err)
    assert err.startswith("pidmem: ") and err.count("pidmem: ") == 1, err


def written(pid):
    """Bytes given to write() so far: the file itself may have no name yet (O_TMPFILE)."""
    try:
        with open(f"/proc/{pid}/io") as file:
            return int(dict(line.split(": ") for line in file)["wchar"])
    except OSError:
        return 0


def catch(process):
    """Stop a dump with SIGSTOP when it has begun to write; False if it is done already."""
    while process.poll() is None:
        if written(process.pid) > 4 << 20:
            os.kill(process.pid, signal.SIGSTOP)
            info = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            return info.si_code == os.CLD_STOPPED
        time.sleep(0)
    return False


def stopped_while_writing(pidmem, victim, tmp_path, *args, before=(), old=None):
    """A victim, its dump stopped in the middle of writing folder/d, and the folder. `old`: what is there already."""
    for attempt in range(5):  # the dump may be done before it is caught
        one = victim("leave", SIZE << min(attempt, 2))
        folder = tmp_path / str(attempt)
        folder.mkdir()
        if old is not None:
            (folder / "d").write_bytes(old)
            (folder / "d.index").write_bytes(old)
        process = pidmem.start("dump", "-o", folder / "d", *args, one.pid, before=before)
        if catch(process):
            return one, process, folder
        process.communicate()
        one.end()
    pytest.fail("the dump was never caught while it was written")
