# SPDX-License-Identifier: LGPL-2.1-or-later
"""`why`: each cause that this kernel can produce is produced, and must be the first one named. Yama: tests/unit/test_access.c."""

import grp
import os
import pwd
import shutil
import struct
import subprocess
import time

import pytest

from conftest import ORDINARY, TARGETS, Result, identity

OTHER = 1001  # one more ordinary user; needs no entry in /etc/passwd either
CODES = ["no-such-process", "hidepid", "kernel-thread", "zombie", "other-user", "not-dumpable", "missing-capability",
         "user-namespace", "yama-scope", "lsm", "already-traced", "seccomp", "mem-restricted"]
NOTHING = {"maps": False, "mem": False, "ptrace": False, "pagemap": False}
ALL = {"maps": True, "mem": True, "ptrace": True, "pagemap": True}
NO_CAP = ["setpriv", "--bounding-set", "-sys_ptrace,-perfmon,-sys_admin", "--inh-caps", "-all"]
CAP_NET_RAW = 13


def user_name(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"UID {uid}"


def group_name(gid):
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return f"GID {gid}"


def capable(*names):
    """A launcher that leaves an ordinary user these capabilities."""
    wanted = ",".join("+" + name for name in names)
    return ["setpriv", "--reuid", str(ORDINARY), "--regid", str(ORDINARY), "--clear-groups", "--inh-caps", wanted,
            "--ambient-caps", wanted]


class Answer:
    """What `why -j` said, checked for what must always hold."""

    def __init__(self, result):
        said = result.json
        assert result.err == "", result
        assert said["pidmem"] == 1 and said["command"] == "why", said
        assert result.code == (0 if said["readable"] else 1), result
        self.readable, self.abilities, self.causes = said["readable"], said["abilities"], said["causes"]
        self.checks = {check["code"]: check for check in said["checks"]}
        assert sorted(self.checks) == sorted(CODES) and len(said["checks"]) == len(CODES), said
        assert all(check["fact"] for check in said["checks"]), said
        self.refusing = [cause["code"] for cause in self.causes if self.checks[cause["code"]]["verdict"] == "refuses"]
        self.limiting = [cause["code"] for cause in self.causes if self.checks[cause["code"]]["verdict"] == "limits"]
        assert len(self.refusing) + len(self.limiting) == len(self.causes), said
        assert self.readable == (not self.refusing), said
        assert not self.readable or (self.abilities["maps"] and self.abilities["mem"]), said
        self.said = said

    def because(self, code, *words, also=()):
        """The first cause is `code`, the others that refuse are `also`, and the fact has all the words."""
        assert self.refusing == [code, *also], self.said
        fact, fix = self.checks[code]["fact"], self.checks[code]["fix"]
        assert all(word in fact for word in words), fact
        assert fact.count("\n") == fix.count("\n") == 0
        return fix


@pytest.fixture
def why(pidmem):
    return lambda pid, **options: Answer(pidmem("why", "-j", pid, **options))


@pytest.fixture
def through(public_build):
    """Runs `why` by launchers, of which those of tests/targets need no path. They may become an ordinary user."""
    binary, targets, env = public_build

    def run(launchers, pid, user=None):
        launchers = [targets / word if (targets / word).exists() else word for word in launchers]
        # A leak checker would trace its process, which these launchers may forbid.
        result = subprocess.run([*launchers, binary, "why", "-j", str(pid)], capture_output=True, timeout=60, check=False,
                                env={**os.environ, **env, "ASAN_OPTIONS": "detect_leaks=0"}, **identity(user))
        return Answer(Result(result.returncode, result.stdout, result.stderr))

    return run


@pytest.fixture
def copy(public_build):
    """A copy of the victim `plain`, with an owner, a mode and capabilities of its own, where all may run it."""
    made = []

    def make(name, uid=0, gid=0, mode=0o755, capability=None):
        path = public_build[1].parent / name
        shutil.copy(TARGETS / "plain", path)
        made.append(path)
        os.chown(path, uid, gid)
        path.chmod(mode)
        if capability is not None:  # struct vfs_cap_data of linux/capability.h: revision 2, effective
            os.setxattr(path, "security.capability", struct.pack("<5I", 0x02000001, 1 << capability, 0, 0, 0))
        return path

    yield make
    for path in made:
        path.unlink()


# ------------------------------------------------------------------------------------------------- readable ---


def test_own_process(why, victim, as_user):
    answer = why(victim("plain", user=as_user).pid, user=as_user)
    assert answer.readable and answer.abilities == ALL and answer.causes == []
    assert all(check["verdict"] in ("passed", "unknown") for check in answer.said["checks"])
    assert answer.checks["other-user"]["verdict"] == "passed"
    assert user_name(as_user or os.geteuid()) in answer.checks["other-user"]["fact"]


def test_self(why):
    answer = why("self")
    assert answer.readable and answer.causes == []
    assert answer.abilities == {**ALL, "ptrace": False}


def test_root_reads_others(why, victim, need_root):
    answer = why(victim("plain", user=ORDINARY).pid)
    assert answer.readable and answer.abilities == ALL and answer.causes == []
    assert "CAP_SYS_PTRACE" in answer.checks["other-user"]["fact"]


def test_threads_outlive_the_first(why, victim):
    one = victim("ended")
    while open(f"/proc/{one.headless}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()[0] != "Z":
        time.sleep(0)
    answer = why(one.headless)
    assert answer.readable and answer.abilities == ALL, answer.said
    assert "first thread has ended" in answer.checks["zombie"]["fact"]


def test_text(pidmem, victim, as_user):
    """Without -j: a sentence, the abilities, a row for each check."""
    one = victim("plain", user=as_user)
    result = pidmem("why", one.pid, user=as_user)
    assert result.code == 0 and result.err == ""
    assert result.text.startswith(f"process {one.pid} (plain) can be read\n")
    assert all(any(code in line for line in result.text.splitlines()) for code in CODES)


# --------------------------------------------------------------------------------- nothing there to be read ---


def test_no_process(why):
    ended = subprocess.Popen(["true"])
    ended.wait()
    answer = why(ended.pid)
    answer.because("no-such-process", str(ended.pid))
    assert answer.abilities == NOTHING


def test_thread_id(why, victim):
    one = victim("plain")
    fix = why(one.tid).because("no-such-process", f"{one.tid} is a thread of process {one.pid} (plain)")
    assert str(one.pid) in fix


def test_kernel_thread(why, kernel_thread):
    answer = why(kernel_thread)
    answer.because("kernel-thread")
    assert answer.abilities == NOTHING


def test_zombie(why, victim):
    one = victim("ended")
    answer = why(one.zombie)
    answer.because("zombie", f"process {one.pid} (ended)")
    assert answer.abilities == NOTHING


# ------------------------------------------------------------------------------------------- user, dumpable ---


@pytest.mark.parametrize("owner", [0, OTHER])
def test_other_user(why, victim, need_root, owner):
    one = victim("plain", user=owner or None)
    answer = why(one.pid, user=ORDINARY)
    fix = answer.because("other-user", f"user {user_name(owner)}", f"you are {user_name(ORDINARY)}",
                         also=["missing-capability"] if owner == 0 else [])
    assert "root" in fix and "CAP_SYS_PTRACE" in fix.upper()
    assert answer.abilities == NOTHING


def test_other_group(why, victim, public_build, need_root):
    """The same user is not enough."""
    one = victim(None, binary=public_build[1] / "plain",
                 before=["setpriv", "--reuid", str(ORDINARY), "--regid", str(OTHER), "--clear-groups"])
    why(one.pid, user=ORDINARY).because("other-user", "group", group_name(OTHER), group_name(ORDINARY))


@pytest.mark.parametrize("owner", [0, OTHER])
def test_set_user_id(why, victim, copy, need_root, owner):
    """One's own process, in all that people mean by it."""
    one = victim(None, binary=copy("setuid", uid=owner, mode=0o4755), user=ORDINARY)
    answer = why(one.pid, user=ORDINARY)
    answer.because("not-dumpable", "set-user-ID", f"real user {user_name(ORDINARY)}",
                   f"effective user {user_name(owner)}",
                   also=["other-user", "missing-capability"] if owner == 0 else ["other-user"])
    assert answer.abilities == NOTHING
    assert why(one.pid).readable


def test_set_group_id(why, victim, copy, need_root):
    one = victim(None, binary=copy("setgid", gid=OTHER, mode=0o2755), user=ORDINARY)
    why(one.pid, user=ORDINARY).because("not-dumpable", "set-group-ID", group_name(OTHER), also=["other-user"])


def test_other_users_set_user_id(why, victim, copy, need_root):
    """Somebody else's process stays somebody else's."""
    one = victim(None, binary=copy("setuid", uid=OTHER + 1, mode=0o4755), user=OTHER)
    assert why(one.pid, user=ORDINARY).refusing == ["other-user", "not-dumpable"]


def test_prctl(why, victim, as_user):
    answer = why(victim("why_closed", user=as_user).pid, user=as_user)
    answer.because("not-dumpable", "PR_SET_DUMPABLE")
    assert answer.abilities == NOTHING


def test_prctl_seen_by_root(why, victim, need_root):
    answer = why(victim("why_closed", user=ORDINARY).pid)
    assert answer.readable and "CAP_SYS_PTRACE" in answer.checks["not-dumpable"]["fact"]


def test_prctl_root(why, victim, need_root):
    """The files of a process of root belong to root either way: told by elimination, if nothing else is left."""
    one = victim("why_closed", before=["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"])
    answer = why(one.pid, before=["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"])
    answer.because("not-dumpable", "every other rule")


def test_unreadable_program(why, victim, copy, need_root):
    path = copy("unreadable", mode=0o711)
    why(victim(None, binary=path, user=ORDINARY).pid, user=ORDINARY).because(
        "not-dumpable", f"{user_name(ORDINARY)} may not read its program, {path}", "0711")


# --------------------------------------------------------------------------------------------- capabilities ---


def test_file_capabilities(why, victim, copy, need_root):
    one = victim(None, binary=copy("filecaps", capability=CAP_NET_RAW), user=ORDINARY)
    why(one.pid, user=ORDINARY).because("not-dumpable", "CAP_NET_RAW", also=["missing-capability"])


def test_target_has_more(why, victim, public_build, need_root):
    one = victim(None, binary=public_build[1] / "plain", before=capable("net_raw"))
    answer = why(one.pid, user=ORDINARY)
    answer.because("missing-capability", "CAP_NET_RAW")
    assert answer.abilities == NOTHING


def test_root_without_capability(why, victim, need_root):
    answer = why(victim("plain", user=ORDINARY).pid, before=NO_CAP)
    fix = answer.because("missing-capability", "root", "CAP_SYS_PTRACE", also=["other-user"])
    assert "--cap-add SYS_PTRACE" in fix
    assert answer.abilities == NOTHING


def test_capability_for_maps_alone(why, victim, need_root):
    """CAP_PERFMON opens maps since Linux 6.15: that proves nothing about mem."""
    answer = why(victim("plain", user=ORDINARY).pid, before=["setpriv", "--bounding-set", "-sys_ptrace"])
    answer.because("missing-capability", "root", also=["other-user"])
    assert not answer.abilities["mem"] and not answer.abilities["ptrace"]


def test_mode_of_mem(through, victim, need_root):
    """CAP_SYS_PTRACE lets trace, but /proc/PID/mem is its owner's alone."""
    one = victim("plain")
    answer = through(capable("sys_ptrace"), one.pid)
    fix = answer.because("missing-capability", f"/proc/{one.pid}/mem", "0600", user_name(0))
    assert "CAP_DAC_READ_SEARCH" in fix.upper()
    assert answer.abilities == {"maps": True, "mem": False, "ptrace": True, "pagemap": False}
    assert through(capable("sys_ptrace", "dac_read_search"), one.pid).readable


# ------------------------------------------------------------------------------------------ user namespaces ---


def test_root_of_a_user_namespace(why, victim):
    """Root inside, looking at a process outside."""
    answer = why(victim("plain").pid, before=["unshare", "--user", "--map-root-user"])
    fix = answer.because("user-namespace", "outside")
    assert "outside" in fix
    assert answer.abilities == NOTHING


def test_root_of_a_user_namespace_on_another_user(why, victim, need_root):
    answer = why(victim("plain", user=ORDINARY).pid, before=["unshare", "--user", "--map-root-user"])
    answer.because("user-namespace", also=["other-user"])
    assert "a user from outside this user namespace" in answer.checks["other-user"]["fact"]


def test_user_namespace_that_looks_the_same(why, victim, need_root):
    """The map tells no difference: the refusal itself does."""
    one = victim("plain", user=ORDINARY)
    why(one.pid, before=[TARGETS / "why_userns"]).because("user-namespace", "CAP_SYS_PTRACE")


def test_user_namespace_below(why, victim, as_user):
    """Whoever made it has all rights in it."""
    one = victim("plain", user=as_user, before=["unshare", "--user"])
    answer = why(one.pid, user=as_user)
    assert answer.readable and answer.abilities == ALL, answer.said
    assert "another user namespace" in answer.checks["user-namespace"]["fact"]


def test_user_namespace_of_another_user(why, victim, need_root):
    one = victim("plain", user=OTHER, before=["unshare", "--user", "--map-root-user"])
    why(one.pid, user=ORDINARY).because("other-user", user_name(OTHER), also=["user-namespace"])
    assert why(one.pid).readable


# -------------------------------------------------------------------------------------- traced, filters, LSM ---


def test_traced(why, victim):
    one = victim("plain")
    tracer = victim("why_tracer", one.pid)
    answer = why(one.pid)
    assert answer.readable and answer.refusing == [] and answer.limiting == ["already-traced"]
    assert answer.abilities == {**ALL, "ptrace": False}
    assert f"process {tracer.pid} (why_tracer)" in answer.checks["already-traced"]["fact"]


def test_one_thread_traced(why, victim):
    one = victim("plain")
    tracer = victim("why_tracer", one.tid)
    answer = why(one.pid)
    assert answer.limiting == ["already-traced"] and not answer.abilities["ptrace"]
    assert str(tracer.pid) in answer.checks["already-traced"]["fact"]


@pytest.mark.parametrize("action, word", [("errno", "EPERM"), ("kill", "SIGSYS")])
@pytest.mark.parametrize("call, name", [("ptrace", "ptrace"), ("readv", "process_vm_readv")])
def test_filter(through, victim, as_user, call, name, action, word):
    """What the filter does to the call is found out, even if it kills for it."""
    answer = through(["why_filter", call, action], victim("plain", user=as_user).pid, user=as_user)
    assert answer.readable and answer.refusing == [] and answer.limiting == ["seccomp"]
    assert f"{name} ({word})" in answer.checks["seccomp"]["fact"]
    assert answer.abilities == {**ALL, "ptrace": call != "ptrace"}


def test_filter_of_open(through, victim, as_user):
    """EPERM is not what the kernel's own rules give."""
    answer = through(["why_filter", "open", "errno"], victim("plain", user=as_user).pid, user=as_user)
    answer.because("seccomp", "EPERM")
    assert answer.abilities == NOTHING


def test_filter_that_lets_nothing_be_asked(through, victim, as_user):
    answer = through(["why_filter", "clone", "errno"], victim("plain", user=as_user).pid, user=as_user)
    assert answer.readable and answer.causes == [] and not answer.abilities["ptrace"]
    assert answer.checks["seccomp"]["verdict"] == "unknown"


def test_filter_that_is_in_nobodys_way(through, victim, as_user):
    answer = through(["oldkernel"], victim("plain", user=as_user).pid, user=as_user)
    assert answer.readable and answer.causes == [] and answer.abilities == ALL
    assert answer.checks["seccomp"]["verdict"] == "passed" and "filter" in answer.checks["seccomp"]["fact"]


def test_landlock(through, victim, as_user):
    probe = subprocess.run([TARGETS / "why_landlock", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"no Landlock: {probe.stderr.decode()}")
    answer = through(["why_landlock"], victim("plain", user=as_user).pid, user=as_user)
    answer.because("lsm", "landlock")
    assert answer.abilities == NOTHING
    assert answer.checks["other-user"]["verdict"] == answer.checks["not-dumpable"]["verdict"] == "passed"


# ------------------------------------------------------------------------------------------------- hidepid ---

# In a PID namespace of its own, so that the options of this machine's procfs stay what they are. VICTIM stands for a
# process of root in there.
HIDDEN = """
mount -t proc -o "$0" proc /proc || exit 77
user=$1
shift
sleep 1000 &
exec setpriv --reuid "$user" --regid "$user" --clear-groups "${@/#VICTIM/$!}"
"""


def hidden(options, user=ORDINARY):
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", HIDDEN, options, str(user)]


@pytest.mark.parametrize("value", [2, 4])
def test_hidepid(through, need_root, value):
    answer = through(hidden(f"hidepid={value}"), "VICTIM")
    answer.because("hidepid", f"hidepid={value}")
    assert answer.checks["no-such-process"]["verdict"] == "passed"
    assert answer.abilities == NOTHING


def test_hidepid_1(through, need_root):
    """The directory is to be seen, with its owner."""
    answer = through(hidden("hidepid=1"), "VICTIM")
    answer.because("hidepid", "hidepid=1", also=["other-user"])
    assert "user root" in answer.checks["other-user"]["fact"]


@pytest.mark.parametrize("value", [1, 2, 4])
def test_hidepid_hides_nothing_that_is_not(through, need_root, value):
    through(hidden(f"hidepid={value}"), 77).because("no-such-process", "77")


def test_hidepid_with_group(through, need_root):
    """For those in the group it hides nothing: then the real cause shows."""
    answer = through(hidden(f"hidepid=2,gid={ORDINARY}"), "VICTIM")
    answer.because("other-user", also=["missing-capability"])
    assert answer.checks["hidepid"]["verdict"] == "passed" and "hidepid=2" in answer.checks["hidepid"]["fact"]


@pytest.mark.parametrize("value", [1, 2, 4])
def test_hidepid_does_not_bind_root(through, need_root, value):
    answer = through(hidden(f"hidepid={value}", user=0), "VICTIM")
    assert answer.readable and answer.causes == []


# ------------------------------------------------------------------------------------ what the others say ---


@pytest.mark.parametrize("command", ["maps", "read", "dump"])
def test_failing_commands_say_the_same(pidmem, why, victim, user_dir, need_root, command):
    """Every command that is refused names the first cause, with its remedy as a hint."""
    for one in [victim("plain"), victim("why_closed", user=ORDINARY)]:
        first = why(one.pid, user=ORDINARY).causes[0]
        more = ["400000"] if command == "read" else []
        result = pidmem.fails(command, one.pid, *more, user=ORDINARY, cwd=user_dir)
        assert first["fact"] in result.err and f"hint: {first['fix']}" in result.err
        assert os.listdir(user_dir) == []


def test_fixes_are_results(pidmem, victim, need_root):
    """They stand on stdout, whatever -q says: they are what was asked for."""
    one = victim("plain")
    for quiet in ([], ["-q"]):
        result = pidmem("why", *quiet, one.pid, user=ORDINARY)
        assert result.code == 1 and result.err == "", result
        assert any(line.startswith("fix: ") for line in result.text.splitlines()), result
        assert "hint:" not in result.text, result
