# SPDX-License-Identifier: LGPL-2.1-or-later
"""Libraries that are loaded before the C library, so that its calls fail when a test wants them to."""

import os
import shutil
import subprocess

import pytest


def build_shim(folder, source):
    """What gives the environment in which calls fail: shim(FAIL_CLOSE=errno, ...)."""
    if os.environ.get("PIDMEM_SANITIZE"):
        pytest.skip("a sanitizer wants to be the first library that is loaded")
    if not shutil.which("cc"):
        pytest.skip("no C compiler: calls cannot be made to fail")
    library = folder / "shim.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library, "-ldl"], input=source.encode(), check=True)
    return lambda **where: {"LD_PRELOAD": str(library), **{name: str(value) for name, value in where.items()}}
