# SPDX-License-Identifier: LGPL-2.1-or-later
"""pidmem.h compiles alone, as C99 and as C++, with every warning on: test_header.py LIBRARY."""

import ctypes
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = None
PR_SET_PTRACER = 0x59616D61
PR_SET_PTRACER_ANY = ctypes.c_ulong(-1)
PROGRAM = """
#include <pidmem.h>
#include <pidmem.h> /* twice: it is guarded */
int main(void)
{
	struct pidmem_open_options options = PIDMEM_INIT(options);
	struct pidmem_error error;
	struct pidmem_process *process;
	options.proc = "/proc";
	if (pidmem_process_open(-1, &options, &error, &process) >= 0)
		return 1;
	return error.code == PIDMEM_USAGE && error.text[0] && pidmem_version()[0] ? 0 : 1;
}
"""
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wundef", "-Wno-missing-field-initializers", "-Werror"]


class Header(unittest.TestCase):
    def build_and_run(self, compiler, standard, suffix, text=PROGRAM, arguments=()):
        if not shutil.which(compiler):
            self.skipTest(f"{compiler} is not installed")
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder, "program" + suffix)
            source.write_text(text)
            program = pathlib.Path(folder, "program")
            library = pathlib.Path(LIBRARY).absolute()
            # A library built with sanitizers brings its run time along only if that is linked first.
            needed = subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True).stdout
            sanitize = ["-fsanitize=address,undefined"] if "libasan" in needed else []
            subprocess.run([compiler, f"-std={standard}", *WARNINGS, *sanitize, "-I", ROOT / "include", source,
                            "-o", program, library, f"-Wl,-rpath,{library.parent}"], check=True)
            return subprocess.run([program, *arguments], check=True, capture_output=True).stdout

    def test_c99(self):
        self.build_and_run("gcc", "c99", ".c")

    def test_c11(self):
        self.build_and_run("gcc", "c11", ".c")

    def test_cxx(self):
        for standard in ("c++11", "c++20"):
            with self.subTest(standard):
                self.build_and_run("g++", standard, ".cc")

    def test_clang(self):
        # Compiled only: clang's sanitizers do not mix with those of a library built by gcc.
        if not shutil.which("clang"):
            self.skipTest("clang is not installed")
        subprocess.run(["clang", "-std=c99", *WARNINGS, "-fsyntax-only", "-I", ROOT / "include", "-x", "c", "-"],
                       input=PROGRAM.encode(), check=True)

    def test_examples_in_documents(self):
        """Each whole program in the manual and the README compiles, and reads the first bytes of this interpreter."""
        for document in ("man/libpidmem.3.scd", "README.md"):
            programs = re.findall(r"```c?\n(#include.*?)```", (ROOT / document).read_text(), re.S)
            programs = [text for text in programs if "main(" in text]
            self.assertTrue(programs, document)
            for text in programs:
                with self.subTest(document):
                    base = next(line for line in open("/proc/self/maps", encoding="utf-8") if "python" in line)
                    # The parent is this test: with Yama it has to allow being read.
                    ctypes.CDLL(None).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)
                    output = self.build_and_run("gcc", "gnu11", ".c", text, [str(os.getpid()), base.split("-")[0]])
                    self.assertIn(b"\x7fELF", output)


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    unittest.main()
