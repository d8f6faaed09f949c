# SPDX-License-Identifier: LGPL-2.1-or-later
"""Header, version script and built library name the same functions: test_symbols.py LIBRARY."""

import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = None


def header_names():
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "include/pidmem.h").read_text(), flags=re.S)
    text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
    return {re.search(r"(\w+)\s*\(", declaration)[1]
            for declaration in re.findall(r"\bPIDMEM_API\b([^;]*);", text)}


def map_versions():
    """{symbol: version} of the version script."""
    text = (ROOT / "lib/libpidmem.sym").read_text()
    versions = {}
    for version, body in re.findall(r"(\S+)\s*\{(.*?)\}", text, re.S):
        for name in re.findall(r"^\s*(\w+);", body.split("local:")[0].replace("global:", ""), re.M):
            versions[name] = version
    return versions


def library_versions():
    """{symbol: version} that the library exports."""
    listing = subprocess.run(["nm", "--dynamic", "--defined-only", "--with-symbol-versions", LIBRARY],
                             capture_output=True, text=True, check=True).stdout
    exported = {}
    for line in listing.splitlines():
        kind, name = line.split()[1:3]
        symbol, _, version = name.replace("@@", "@").partition("@")
        if kind != "A":  # the names of the versions themselves
            exported[symbol] = version
    return exported


class Symbols(unittest.TestCase):
    maxDiff = None

    def test_names_are_ours(self):
        self.assertGreater(len(header_names()), 40)
        for name in header_names():
            self.assertTrue(name.startswith("pidmem_"), name)

    def test_every_declaration_is_exported_by_mark(self):
        text = re.sub(r"/\*.*?\*/", "", (ROOT / "include/pidmem.h").read_text(), flags=re.S)
        declared = set(re.findall(r"\b(pidmem_\w+)\s*\([^;{}]*\)\s*;", text))
        self.assertEqual(declared, header_names())

    def test_header_and_version_script_agree(self):
        self.assertEqual(sorted(header_names()), sorted(map_versions()))

    def test_library_and_version_script_agree(self):
        self.assertEqual(library_versions(), map_versions())


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    unittest.main()
