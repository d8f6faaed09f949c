# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a command that does not end is doing: for those who see but the log of a machine that they cannot reach."""

import pathlib

STATES = ["comm", "wchan", "syscall", "stack"]
MACHINE = ["loadavg", "pressure/io", "pressure/memory"]


def text(path):
    try:
        return path.read_text(errors="replace").strip()
    except OSError as error:
        return f"({error.strerror})"


def family(pid):
    """The process, and all its descendants."""
    found = [pid]
    for one in found:
        for children in pathlib.Path(f"/proc/{one}/task").glob("*/children"):
            found += map(int, text(children).split() if text(children)[:1].isdigit() else [])
    return found


def thread(task):
    state = text(task / "stat").rpartition(")")[2].split()[:1]
    return " ".join([task.name, *state, *(" < ".join(text(task / name).split("\n")) for name in STATES)])


def what_it_does(pid):
    """A line for each thread, then what the machine is busy with."""
    threads = [thread(task) for one in family(pid) for task in sorted(pathlib.Path(f"/proc/{one}/task").glob("*"))]
    machine = [f"{name}: {text(pathlib.Path('/proc', name))}" for name in MACHINE]
    memory = [line for line in text(pathlib.Path("/proc/meminfo")).split("\n")
              if line.startswith(("MemAvailable", "Dirty", "Writeback:"))]
    return "\n".join(threads + [f"io: {text(pathlib.Path(f'/proc/{pid}/io'))}".replace("\n", ", ")] + machine + memory)
