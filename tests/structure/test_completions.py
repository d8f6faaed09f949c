# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completion as the shells perform it. (That every option is there: scripts/check-docs.)"""

import os
import shutil
import sys
import unittest

import shells


def each_shell(test):
    def run(self):
        for shell in shells.SHELLS:
            with self.subTest(shell):
                if not shutil.which(shell):
                    self.skipTest(f"{shell} is not installed")
                test(self, shell)
    return run


class Completions(unittest.TestCase):
    @each_shell
    def test_commands(self, shell):
        self.assertEqual(shells.offered(shell, "pidmem "),
                         {"maps", "read", "find", "diff", "dump", "core", "gcore", "info", "report", "why", "help"})

    @each_shell
    def test_command_after_options(self, shell):
        self.assertLessEqual({"maps", "read"}, shells.offered(shell, "pidmem -q -R heap "))

    @each_shell
    def test_pids_with_names(self, shell):
        with open("/proc/self/comm", encoding="utf-8") as comm:
            name = comm.read().strip()
        for command in ("maps", "read", "find", "diff", "dump", "core", "gcore", "info", "report", "why"):
            found = shells.described(shell, f"pidmem {command} ")
            self.assertIn(name, found.get(str(os.getpid()), ""), (command, found))
            self.assertNotIn("2" if kernel_thread(2) else "none", found)
        self.assertIn("self", shells.offered(shell, "pidmem maps "))
        self.assertNotIn("self", shells.offered(shell, "pidmem why "))

    @each_shell
    def test_pid_after_options(self, shell):
        self.assertIn(str(os.getpid()), shells.offered(shell, "pidmem maps -R heap --color=never "))

    @each_shell
    def test_no_pid_behind_the_pid(self, shell):
        self.assertNotIn(str(os.getpid()), shells.offered(shell, "pidmem read 1 "))

    @each_shell
    def test_several_pids_where_several_are_taken(self, shell):
        for command in ("core", "gcore"):
            self.assertIn(str(os.getpid()), shells.offered(shell, f"pidmem {command} 1 "), command)

    @each_shell
    def test_regions(self, shell):
        kinds = {"heap", "stack", "anon", "file", "shared", "vdso"}
        self.assertEqual(shells.offered(shell, "pidmem maps -R "), kinds)
        self.assertLessEqual({"!" + kind for kind in kinds} if shell != "zsh" else kinds,
                             shells.offered(shell, "pidmem maps -R !"))

    @each_shell
    def test_choices_of_options(self, shell):
        found = {word.split("=")[-1] for word in shells.offered(shell, "pidmem maps --color=")}
        self.assertEqual(found, {"auto", "never", "always"})

    @each_shell
    def test_columns(self, shell):
        found = shells.offered(shell, "pidmem maps -o s")
        self.assertLessEqual({"size", "start", "swap", "strip"}, found)


def kernel_thread(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
            return not cmdline.read()
    except OSError:
        return False


if __name__ == "__main__":
    sys.argv.pop(1)
    unittest.main()
