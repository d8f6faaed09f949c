# SPDX-License-Identifier: LGPL-2.1-or-later
"""A control group of our own, for either version of cgroups(7)."""

import os
import time
import uuid

import pytest

# name of a limit here -> file of version 1, file of version 2
LIMITS = {"pids": ("pids.max", "pids.max"),
          "memory": ("memory.limit_in_bytes", "memory.max")}


def places(controller):
    """(version, directory) of the group that this process is in, for a controller."""
    mounts = [line.split() for line in open("/proc/self/mounts")]
    own = [line.rstrip("\n").split(":", 2) for line in open("/proc/self/cgroup")]
    for _, where, kind, options, *_ in mounts:
        if kind == "cgroup" and controller in options.split(","):
            path = next((path for _, names, path in own if controller in names.split(",")), "/")
            yield 1, where + path
            yield 1, where  # the group's own place is not always visible
        if kind == "cgroup2":
            path = next((path for number, names, path in own if number == "0" and names == ""), "/")
            yield 2, where + path
            yield 2, where


class Group:
    def __init__(self, controller):
        self.controller = controller
        if os.geteuid() != 0:
            pytest.skip("needs root")
        reasons = []
        for self.version, parent in places(controller):
            self.path = f"{parent.rstrip('/')}/pidmem-test-{uuid.uuid4().hex[:8]}"
            try:
                if self.version == 2:
                    with open(f"{parent}/cgroup.subtree_control", "w") as file:
                        file.write(f"+{controller}")
                os.mkdir(self.path)
                if os.path.exists(self.file(controller)):
                    return
                os.rmdir(self.path)
                reasons.append(f"{parent}: no {controller} controller")
            except OSError as error:
                reasons.append(str(error))
        pytest.skip(f"no control group for {controller} can be made: {'; '.join(reasons) or 'none is mounted'}")

    def __enter__(self):
        return self

    def file(self, name):
        return os.path.join(self.path, LIMITS[name][self.version - 1] if name in LIMITS else name)

    def limit(self, value):
        with open(self.file(self.controller), "w") as file:
            file.write(str(value))

    def add(self, pid):
        with open(self.file("cgroup.procs"), "w") as file:
            file.write(str(pid))

    def used(self):
        name = {"pids": "pids.current",
                "memory": "memory.usage_in_bytes" if self.version == 1 else "memory.current"}[self.controller]
        return int(open(self.file(name)).read())

    def killed(self):
        """How many of its processes were ended because memory was short, where the kernel says so."""
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        return dict(line.split() for line in open(self.file(name))).get("oom_kill")

    def __exit__(self, *_):
        for pid in open(self.file("cgroup.procs")).read().split():
            try:
                os.kill(int(pid), 9)
            except ProcessLookupError:
                pass
        for _ in range(2000):
            try:
                os.rmdir(self.path)
                return
            except OSError:  # its processes are still leaving
                time.sleep(0.005)
        raise RuntimeError(f"{self.path} cannot be removed")
