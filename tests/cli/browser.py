# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real browser: Debian's Chromium, driven by tests/browser/page.mjs."""

import json
import os
import shutil
import subprocess

import pytest
from conftest import ROOT

DRIVER = ROOT / "tests" / "browser"


def lacks():
    """What is missing, or None."""
    for program, way in (("node", "scripts/setup-deps test"), ("chromium", "scripts/setup-deps test")):
        if not shutil.which(program):
            return f"{program} is not installed ({way})"
    if not (DRIVER / "node_modules" / "playwright-core").exists():
        return "playwright-core is not installed (scripts/setup-deps test, or npm ci in tests/browser)"
    return None


class Browser:
    """Each command of page.mjs is a method: browser.click(selector="#theme")."""

    def __init__(self, folder):
        self.process = subprocess.Popen(["node", DRIVER / "page.mjs", shutil.which("chromium")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(folder)})

    def __getattr__(self, command):
        def ask(**options):
            options = {key: os.fspath(value) if isinstance(value, os.PathLike) else value for key, value in options.items()}
            self.process.stdin.write(json.dumps({"command": command, **options}).encode() + b"\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline() or b'{"error": "the browser has ended"}')
            assert "error" not in answer, answer["error"]
            return answer["value"]
        return ask

    def text(self, selector):
        return self.evaluate(script=f"document.querySelector({json.dumps(selector)})?.textContent ?? null")

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    missing = lacks()
    if os.environ.get("PIDMEM_SANITIZE"):
        pytest.skip("the page is the same without sanitizers, and looked at there")
    if missing:
        pytest.skip(f"no browser to look with: {missing}")
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()
