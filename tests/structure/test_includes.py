# SPDX-License-Identifier: LGPL-2.1-or-later
"""The arrows of docs/architecture.md: imports point down only, and the kernel is asked in two folders alone."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# folder: the folders it may include from, besides itself
BELOW = {
    "base": set(),
    "arch": {"base"},
    "format": {"base"},
    "process": {"base", "arch", "format"},
    "stop": {"base", "arch", "format", "process"},
    "source": {"base", "arch", "format", "process", "stop", "sink"},
    "sink": {"base", "arch", "format"},
    "save": {"base", "arch", "format", "process", "stop", "source", "sink"},
    "survey": {"base", "arch", "format", "process", "stop", "source", "sink"},
    "find": {"base", "arch", "format", "process", "stop", "source", "sink"},
    "diff": {"base", "arch", "format", "process", "stop", "source", "sink"},
}
KERNEL_FOLDERS = {"process", "stop"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|("(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')', re.S)


def sources(folder):
    return sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in (".c", ".h"))


def own_includes(path):
    """Names included with quotes; pidmem.h counts in either form."""
    for kind, name in INCLUDE.findall(path.read_text()):
        if kind == '"' or name == "pidmem.h":
            yield name


def without_comments(path):
    return COMMENT.sub(lambda match: match[1] or " ", path.read_text())


class Includes(unittest.TestCase):
    def test_library_includes_point_down(self):
        for path in sources("lib"):
            folder = path.relative_to(ROOT / "lib").parts[0]
            self.assertIn(folder, BELOW, f"{path}: DESIGN knows no folder of this name")
            for name in own_includes(path):
                if name == "pidmem.h":
                    continue
                self.assertTrue((ROOT / "lib" / name).exists(),
                                f"{path} includes {name}: name it from lib/, as in \"base/error.h\"")
                other = name.split("/")[0]
                self.assertTrue(other == folder or other in BELOW[folder],
                                f"{path} includes {name}: {folder} may not know {other}")

    def test_command_includes_the_public_header_alone(self):
        for path in sources("cli"):
            for name in own_includes(path):
                if name != "pidmem.h":
                    found = any((base / name).exists() for base in (ROOT / "cli", path.parent))
                    self.assertTrue(found and ".." not in name, f"{path} includes {name}: not a header of cli/")

    def test_examples_include_the_public_header_alone(self):
        for path in sources("examples"):
            self.assertEqual(list(own_includes(path)), ["pidmem.h"], path)

    def test_public_header_stands_alone(self):
        names = [name for _, name in INCLUDE.findall((ROOT / "include/pidmem.h").read_text())]
        self.assertEqual(names, ["stdbool.h", "stddef.h", "stdint.h", "sys/types.h"])

    def test_kernel_is_asked_in_process_and_stop_alone(self):
        calls = re.compile(r'"/proc|\b(?:ptrace|syscall|process_vm_readv|ioctl)\s*\(')
        for path in sources("lib"):
            if path.relative_to(ROOT / "lib").parts[0] in KERNEL_FOLDERS:
                continue
            found = calls.search(without_comments(path))
            self.assertIsNone(found, f"{path}: {found and found[0]}")

    def test_command_does_not_ask_the_kernel_itself(self):
        # Texts may speak of /proc; opening it, tracing and raw calls are the library's.
        calls = re.compile(r'\b(?:f?open(?:at|dir)?|readlink)\s*\([^;]*"/proc|\b(?:ptrace|syscall|process_vm_readv)\s*\(')
        for path in sources("cli"):
            if path.stem.startswith("confine"):  # these bind pidmem itself
                continue
            found = calls.search(without_comments(path))
            self.assertIsNone(found, f"{path}: {found and found[0]}")

    def test_library_never_prints_and_never_exits(self):
        # _exit() is for the children that process/ and stop/ fork to try something out.
        calls = re.compile(r"\b(?:v?f?printf|puts|putchar|perror|exit|abort|assert|errx?|warnx?)\s*\(")
        leave = re.compile(r"\b_exit\s*\(")
        for path in sources("lib"):
            text = without_comments(path)
            found = calls.search(text)
            if path.relative_to(ROOT / "lib").parts[0] not in KERNEL_FOLDERS:
                found = found or leave.search(text)
            self.assertIsNone(found, f"{path}: {found and found[0]}")

    def test_every_source_has_a_licence_line(self):
        for folder in ("include", "lib", "cli", "examples", "fuzz", "tests"):
            for path in sources(folder):
                self.assertIn("SPDX-License-Identifier: LGPL-2.1-or-later", path.read_text().split("\n")[0], path)

    def test_every_unit_test_is_built(self):
        listed = (ROOT / "tests/meson.build").read_text()
        for path in (ROOT / "tests/unit").glob("*.c"):
            self.assertRegex(listed, rf"['/]{path.stem}(\.c)?'", f"{path} is not in tests/meson.build")


if __name__ == "__main__":
    unittest.main()
