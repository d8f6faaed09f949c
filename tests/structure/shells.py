# SPDX-License-Identifier: LGPL-2.1-or-later
"""What each shell offers behind a command line: offered(SHELL, LINE) -> set of words."""

import os
import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPLETIONS = ROOT / "completions"
SHELLS = ("bash", "zsh", "fish")


def run(*command):
    with tempfile.TemporaryDirectory() as home:
        result = subprocess.run(command, capture_output=True, text=True, errors="surrogateescape", timeout=60, check=False,
                                cwd=home, env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "TERM": "xterm"})
    return result.stdout.splitlines()


def bash(line):
    # As readline splits it: "=" is a word of its own.
    words = re.findall(r"=|[^\s=]+", line) + ([""] if line.endswith(" ") else [])
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pidmem 2>/dev/null; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    return run("bash", "--norc", "-c", script, "bash", str(COMPLETIONS / "pidmem.bash"), *words)


def zsh(line):
    return run("zsh", "-f", str(ROOT / "tests/structure/capture.zsh"), str(COMPLETIONS), line)


def fish(line):
    script = "source $argv[1]; complete -C $argv[2]"
    return run("fish", "--no-config", "-c", script, str(COMPLETIONS / "pidmem.fish"), line)


def described(shell, line):
    """{word: what is said of it}"""
    found = {}
    for text in {"bash": bash, "zsh": zsh, "fish": fish}[shell](line):
        separator = {"bash": " (", "zsh": " # ", "fish": "\t"}[shell]
        if shell == "zsh" and text.startswith("pidmem "):
            continue  # the command line again, below the list
        if separator in text:
            word, rest = text.split(separator, 1)
            found[word.strip()] = rest
        else:
            found.update((word.rstrip("="), "") for word in text.split())
    return found


def offered(shell, line):
    return set(described(shell, line))
