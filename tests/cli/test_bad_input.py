# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bad input: exit 2, one clear line and a hint on stderr, nothing on stdout, nothing left behind.

The outputs of `dump` have their own file, test_output.py.
"""

import os
import signal
import subprocess

import pytest
from conftest import PAGE, pattern
from dump_reader import Dump


@pytest.fixture
def nowhere(pidmem, tmp_path):
    """pidmem in an empty directory that must be empty afterwards."""
    folder = tmp_path / "nowhere"
    folder.mkdir()

    def fails(*args, **options):
        result = pidmem.fails(*args, cwd=folder, **options)
        assert os.listdir(folder) == [], result
        return result

    return fails


@pytest.mark.parametrize("wrong,right", [("dmp", "dump"), ("mpas", "maps"), ("raed", "read"), ("wy", "why"),
                                         ("dumpp", "dump"), ("coer", "core"), ("gcor", "gcore")])
def test_unknown_command_suggests_the_nearest(nowhere, wrong, right):
    result = nowhere(wrong, "1")
    assert wrong in result.err.splitlines()[0]
    assert any(right in line for line in result.err.splitlines()[1:]), result


@pytest.mark.parametrize("args", [["xyzzy"], ["xyzzy", "1"], [""], ["--nonsense"], ["--nonsense", "maps", "1"], []])
def test_no_such_command_or_option(nowhere, args):
    nowhere(*args)


@pytest.mark.parametrize("command", ["maps", "read", "dump", "core", "why"])
@pytest.mark.parametrize("option", ["--nonsense", "-Z", "--json=yes", "--region", "--color=sometimes", "-R"])
def test_wrong_option(nowhere, plain, command, option):
    nowhere(command, *([plain.pid, "0"] if command == "read" else [plain.pid]), option)


@pytest.mark.parametrize("command", ["maps", "read", "dump", "core", "why"])
def test_no_target(nowhere, command):
    nowhere(command)


@pytest.mark.parametrize("command", ["maps", "dump", "core", "why", "read"])
@pytest.mark.parametrize("target", ["0", "-1", "-4242", "4294967296", "4294967297", "99999999999999999999999", "12x",
                                    "x12", "", " 1", "1 ", "+1", "0x10", "1.5", "selfish", "/nonexistent", "./1", "--"])
def test_target_that_is_none(nowhere, command, target):
    nowhere(command, target, *(["400000"] if command == "read" else []))


@pytest.mark.parametrize("command", ["maps", "dump", "core", "read"])
def test_huge_pid_is_not_taken_modulo(nowhere, plain, command):
    nowhere(command, str((1 << 32) + plain.pid), *(["400000"] if command == "read" else []))


@pytest.mark.parametrize("command", ["maps", "dump", "core", "read"])
def test_kernel_thread(nowhere, command, kernel_thread):
    result = nowhere(command, kernel_thread, *(["400000"] if command == "read" else []))
    assert "kernel thread" in result.err


@pytest.mark.parametrize("address", ["0", "0x0", "1000", "fff", "7ffffffff000", "ffffffffffffffff", "8000000000000000"])
def test_unmapped_address(nowhere, plain, address):
    result = nowhere("read", plain.pid, address, "1")
    assert "not mapped" in result.err.splitlines()[0]
    assert "0x" in result.err.splitlines()[1], "the hint says what lies nearest"


@pytest.mark.parametrize("address", ["10000000000000000", "0x10000000000000000", "-1", "xyz", "0x", "", "12 34", "1g",
                                     "nosuchname+0x10", "[heap]+", "[heap]+xyz", "[heap]+10000000000000000",
                                     "+10", "[heap]-1"])
def test_address_that_is_none(nowhere, plain, address):
    nowhere("read", plain.pid, "--", address)


@pytest.mark.parametrize("length", ["0", "-1", "18446744073709551615", "0xffffffffffffffff", "18446744073709551616",
                                    "99999999999999999999999999", "x", "", "1.5", "1 2"])
def test_length_that_is_none(nowhere, plain, length):
    nowhere("read", plain.pid, "--", f"{plain.bytes:x}", length)


@pytest.mark.parametrize("start,length", [(4 * PAGE - 1, 2), (0, 4 * PAGE + 1), (4 * PAGE - 8, 1 << 40)])
def test_length_past_the_end(nowhere, plain, start, length):
    nowhere("read", plain.pid, f"{plain.bytes + start:x}", str(length))


@pytest.mark.parametrize("command", ["read", "dump"])
def test_too_many_arguments(nowhere, plain, command):
    nowhere(command, plain.pid, "400000", "16", "one more")


@pytest.mark.parametrize("term", ["", "!", "nosuchname", "5-", "zz-qq", "2000-1000", "1000-1000", ":", "x:q",
                                  "0-20000000000000000"])
@pytest.mark.parametrize("command", ["dump", "core"])
def test_selection_that_fits_nothing(nowhere, plain, command, term):
    nowhere(command, "-R", term, plain.pid)


@pytest.mark.parametrize("mode", ["nonsense", "", "LIVE", "snap"])
@pytest.mark.parametrize("command", ["dump", "core", "read", "maps"])
def test_consistency_that_is_none(nowhere, plain, command, mode):
    nowhere(command, f"--consistency={mode}", plain.pid, *([f"{plain.bytes:x}"] if command == "read" else []))


@pytest.mark.parametrize("mode", ["stopped", "snapshot"])
def test_regions_are_listed_live(nowhere, plain, mode):
    assert mode in nowhere("maps", f"--consistency={mode}", plain.pid).err


def test_consistency_live_is_there(pidmem, plain):
    assert pidmem("read", "--consistency=live", plain.pid, f"{plain.bytes:x}", "16").code == 0


def commands(plain, folder):
    return {"maps": ["maps", plain.pid], "read": ["read", plain.pid, f"{plain.bytes:x}", "4096"],
            "raw": ["read", "--raw", plain.pid, f"{plain.bytes:x}", "4096"], "json": ["maps", "-j", plain.pid],
            "dump": ["dump", "-j", "-o", folder / "d", plain.pid], "why": ["why", plain.pid], "help": ["help"],
            "version": ["--version"]}


@pytest.mark.parametrize("name", ["maps", "read", "raw", "json", "dump", "why", "help", "version"])
def test_closed_stdout(pidmem, plain, tmp_path, name):
    args = commands(plain, tmp_path)[name]
    result = pidmem(*args, before=["sh", "-c", 'exec "$0" "$@" >&-'])
    assert result.code == 2 and result.err.count("pidmem: ") == 1, result
    left = sorted(os.listdir(tmp_path))
    assert left in ([], ["d", "d.index"]), left
    if left:  # the report must not have landed in a file that got descriptor 1
        with Dump(tmp_path / "d") as dump:
            assert dump.check() == []


@pytest.mark.parametrize("name", ["maps", "read", "raw", "json", "dump", "why", "help", "version"])
def test_full_stdout(pidmem, plain, tmp_path, name):
    with open("/dev/full", "wb") as full:
        result = pidmem(*commands(plain, tmp_path)[name], stdout=full)
    assert result.code == 2 and result.err.count("pidmem: ") == 1, result


def test_closed_stderr_and_stdin(pidmem, plain, tmp_path):
    """With all three closed, no output file may get their numbers."""
    result = pidmem("dump", "-o", tmp_path / "d", plain.pid, before=["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-'])
    assert result.code == 2
    if os.listdir(tmp_path):
        with Dump(tmp_path / "d") as dump:
            assert dump.check() == []
            assert dump.read(plain.bytes, 16) == pattern(1, 1)[:16]


@pytest.mark.parametrize("args", [["maps"], ["maps", "-j"], ["read", "--raw"]])
def test_broken_pipe_of_results(pidmem, victim, args):
    """`pidmem maps PID | head -1`: an early end, and no wall of messages."""
    one = victim("many", 20000)
    more = [f"{one.region:x}", str(20000 * PAGE)] if args[0] == "read" else []
    process = pidmem.start(*args, one.pid, *more)
    process.stdout.read(1)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) in (2, -signal.SIGPIPE)
    assert err.count(b"\n") <= 2, err


def test_file_named_like_a_number_is_no_pid(pidmem, plain, tmp_path):
    """`./123` is a path, of a file that is no core here."""
    (tmp_path / str(plain.pid)).write_bytes(b"not a core")
    pidmem.fails("maps", f"./{plain.pid}", cwd=tmp_path)
    assert pidmem("maps", plain.pid, cwd=tmp_path).code == 0


def test_options_anywhere_and_the_end_of_options(pidmem, plain):
    for args in (["-j", "maps", plain.pid], ["maps", plain.pid, "-j"], ["maps", "-j", "--", plain.pid]):
        assert pidmem(*args).json["command"] == "maps"
    pidmem.fails("maps", "--", plain.pid, "-j")


def test_quiet_silences_hints_but_not_the_error(pidmem):
    result = pidmem("maps", "-q", "0")
    assert (result.code, result.out, len(result.err.splitlines())) == (2, b"", 1)


def test_weird_environment(pidmem, plain):
    """No HOME, no TERM, a locale that is not installed, a crazy width."""
    env = {"LC_ALL": "xx_YY.UTF-8", "TERM": "", "COLUMNS": "-3", "HOME": "/nonexistent"}
    result = pidmem("maps", plain.pid, env=env)
    assert result.code == 0 and result.err == "", result


def test_command_without_proc(public_build, need_root):
    """/proc is not mounted: said, not crashed."""
    if os.environ.get("PIDMEM_SANITIZE"):
        pytest.skip("the leak sanitizer itself needs /proc")
    binary, _, env = public_build  # its library is found without /proc/self/exe
    run = subprocess.run(["unshare", "--mount", "sh", "-c", 'umount -l /proc && exec "$0" maps 1', binary],
                         env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, ""), run
    assert run.stderr.startswith("pidmem: "), run


# ------------------------------------------------------------------------------------------- the command line ---


def test_options_after_operands_even_where_posix_forbids(pidmem, plain):
    assert pidmem("maps", plain.pid, "-j", env={"POSIXLY_CORRECT": "1"}).json["command"] == "maps"


@pytest.mark.parametrize("option,near", [("--jso", "--json"), ("--colum=perms", "--columns"), ("--co", "--consistency"),
                                         ("--josn", "--json"), ("--colour=never", "--color")])
def test_long_options_are_written_out(nowhere, plain, option, near):
    result = nowhere("maps", option, plain.pid)
    assert f'"{option.split("=")[0]}"' in result.err.splitlines()[0], result
    assert f"did you mean {near}?" in result.err, result


def test_option_that_is_no_letter(nowhere, plain):
    for word in ("-é", "-qé"):
        assert f'"{word}"' in nowhere("maps", word, plain.pid, hint=False).err


@pytest.mark.parametrize("args", [["why", "-R", "heap"], ["why", "--progress=always"], ["why", "--consistency=live"],
                                  ["maps", "-j", "-o", "perms"], ["maps", "-x", "-o", "perms"],
                                  ["dump", "--split", "parts", "--force"], ["dump", "-o", "f", "--split", "parts"]])
def test_options_that_do_nothing_are_refused(nowhere, plain, args):
    nowhere(*args, plain.pid)


def test_colour_of_usage_errors(pidmem):
    for args in (["maps", "0", "--nonsense", "--color=always"], ["--color", "always", "maps", "0"], ["--color=always"]):
        assert pidmem(*args).err.startswith("\x1b["), args
    assert "\x1b" not in pidmem("maps", "0").err


@pytest.mark.parametrize("word,hint", [("4242", "pidmem maps 4242"), ("xy", "pidmem help"), ("ab", "pidmem help")])
def test_what_is_said_of_an_unknown_command(nowhere, word, hint):
    result = nowhere(word)
    assert hint in result.err and "did you mean" not in result.err, result
    assert ("in this version" in result.err) == (word in ("find", "diff")), result


@pytest.mark.parametrize("length", ["0x0x10", "0X0X1"])
def test_two_prefixes_are_no_number(nowhere, plain, length):
    nowhere("read", plain.pid, f"{plain.bytes:x}", length)


def test_range_as_address(nowhere, plain):
    result = nowhere("read", plain.pid, f"{plain.bytes:x}-{plain.bytes + 64:x}")
    assert f"{plain.bytes:#x} 0x40" in result.err.splitlines()[1], result


@pytest.mark.parametrize("term", ["heap:rw", "!stack:r", "anon:x", "heap,stack"])
def test_selection_that_cannot_be_meant(nowhere, plain, term):
    for command in ("maps", "dump"):
        result = nowhere(command, "-R", term, plain.pid)
        assert f'-R "{term}"' in result.err.splitlines()[0], result


def test_selection_that_fits_nothing_names_process_and_terms(nowhere, plain):
    for command, more in (("maps", []), ("dump", []), ("read", ["400000"])):
        result = nowhere(command, "-R", "stakc", "-R", "haep", plain.pid, *more)
        assert all(word in result.err.splitlines()[0] for word in (str(plain.pid), "plain", "stakc", "haep")), result


@pytest.mark.parametrize("terms", [["heap", "stakc"], ["!stakc"], ["heap", "!stakc"]])
def test_term_that_fits_nothing_is_told(pidmem, plain, terms):
    options = [word for term in terms for word in ("-R", term)]
    result = pidmem("maps", *options, plain.pid)
    assert result.code == 0 and result.err.count("\n") == 1 and "stakc" in result.err, result
    assert pidmem("maps", "-q", *options, plain.pid).err == ""


@pytest.mark.parametrize("command", [[], ["maps"], ["read"], ["find"], ["diff"], ["dump"], ["core"], ["gcore"], ["info"], ["why"], ["help"]])
def test_help_fits_a_terminal(pidmem, command):
    lines = pidmem("help", *command).text.splitlines()
    assert all(len(line) <= 81 and line == line.rstrip() for line in lines), [line for line in lines if len(line) > 81]
    assert command == ["help"] or any(line.startswith("Exit status") for line in lines)
