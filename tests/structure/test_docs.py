# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every command has a man page, and every page a command: test_docs.py PIDMEM. (Options: scripts/check-docs.)"""

import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PIDMEM = None


def commands():
    text = subprocess.run([PIDMEM, "help"], capture_output=True, text=True, check=True).stdout
    section = re.search(r"^commands:\n((?:  .*\n)+)", text, re.M)[1]
    return set(re.findall(r"^  (\w+)", section, re.M)) - {"help"}


class Docs(unittest.TestCase):
    def test_commands_and_pages(self):
        pages = {path.name.split(".")[0][len("pidmem-"):] for path in (ROOT / "man").glob("pidmem-*.1.scd")}
        self.assertEqual(commands(), pages)

    def test_pages_are_installed(self):
        listed = (ROOT / "man/meson.build").read_text()
        for path in (ROOT / "man").glob("*.scd"):
            self.assertIn(f"'{path.stem}'", listed)

    def test_main_page_names_each_command(self):
        text = (ROOT / "man/pidmem.1.scd").read_text()
        for command in commands():
            self.assertRegex(text, rf"\*pidmem-{command}\*\(1\)")

    def test_links_in_markdown_lead_somewhere(self):
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
            for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
                if "://" not in target:
                    self.assertTrue((page.parent / target).exists(), f"{page}: {target}")

    def test_version_is_the_same_everywhere(self):
        version = re.search(r"version: '([\d.]+)'", (ROOT / "meson.build").read_text())[1]
        self.assertIn(f'#define PIDMEM_VERSION "{version}"', (ROOT / "include/pidmem.h").read_text())
        printed = subprocess.run([PIDMEM, "--version"], capture_output=True, text=True, check=True).stdout
        self.assertIn(version, printed)


if __name__ == "__main__":
    PIDMEM = sys.argv.pop(1)
    unittest.main()
