/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The access diagnosis against a made-up /proc. What this kernel can produce for real is in tests/cli/test_why.py. */
#include "access_ask.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CAP(name) (1ULL << CAP_##name)

static void test_readable(void **state)
{
	struct pidmem_access access = ask(state);

	assert_true(access.readable && access.maps && access.mem && access.pagemap && access.ptrace);
	for (size_t i = 0; i < access.count; i++)
		assert_int_equal(access.checks[i].verdict, PIDMEM_PASSED);
}

static void test_errors(void **state)
{
	struct proc_root *root = *state;
	struct pidmem_open_options options = PIDMEM_INIT(options);
	struct pidmem_access access = { .size = sizeof access, .count = 77 };
	struct pidmem_error error;

	options.proc = root->path;
	assert_int_equal(pidmem_access_check(0, &options, &error, &access), -EINVAL);
	assert_int_equal(error.code, PIDMEM_USAGE);
	assert_int_equal(pidmem_access_check(-1, &options, NULL, &access), -EINVAL);
	put(root, "4242/status", "Name:\tvictim\nState:\n");
	assert_int_equal(pidmem_access_check(TARGET, &options, &error, &access), -EBADMSG);
	assert_int_equal(error.code, PIDMEM_FORMAT);
	options.proc = "/nonexistent";
	assert_int_equal(pidmem_access_check(TARGET, &options, &error, &access), -ENOENT);
	assert_int_equal(error.code, PIDMEM_SYSTEM);
	assert_int_equal(access.count, 77); /* written on success only */
}

static void test_no_process(void **state)
{
	struct pidmem_access access = ask_pid(state, 4243);

	assert_sound(&access);
	assert_cause(&access, PIDMEM_CAUSE_NO_SUCH_PROCESS, "4243");
	assert_false(access.maps || access.mem || access.ptrace || access.pagemap);
	assert_row(&access, PIDMEM_CAUSE_YAMA_SCOPE, PIDMEM_UNKNOWN, "not looked at");
}

static void test_thread_id(void **state)
{
	struct fake thread = fake(4250, "worker");

	thread.tgid = TARGET;
	put_process(*state, &thread);
	struct pidmem_access access = ask_pid(state, 4250);
	assert_cause(&access, PIDMEM_CAUSE_NO_SUCH_PROCESS, "4250 is a thread of process 4242 (victim)");
	assert_non_null(strstr(row(&access, PIDMEM_CAUSE_NO_SUCH_PROCESS)->fix, "4242"));
}

/* The numbers of a foreign procfs cannot be asked about: with hidepid it stays open whether there is such a process. */
static void test_hidepid(void **state)
{
	static const struct {
		const char *option;
		const char *told; /* NULL: nothing is hidden */
	} options[] = {
		{ "rw", NULL },
		{ "rw,hidepid=0", NULL },
		{ "rw,hidepid=noaccess", NULL },
		{ "rw,hidepid=2", "hidepid=2" },
		{ "rw,gid=5,hidepid=invisible", "hidepid=2" },
		{ "rw,hidepid=ptraceable,subset=pid", "hidepid=4" },
		{ "rw,hidepid=future", NULL },
	};
	struct proc_root *root = *state;
	char line[256];

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		snprintf(line, sizeof(line),
			 "21 27 0:20 / /proc rw - proc proc rw,hidepid=1\n22 27 0:21 / %s rw,relatime shared:5 - proc "
			 "proc %s\n",
			 root->path, options[i].option);
		put(root, "self/mountinfo", line);
		struct pidmem_access access = ask_pid(state, 4243);
		assert_sound(&access);
		if (options[i].told)
			assert_cause(&access, PIDMEM_CAUSE_HIDEPID, options[i].told);
		else
			assert_cause(&access, PIDMEM_CAUSE_NO_SUCH_PROCESS, "4243");
		access = ask(state); /* what can be seen is not hidden */
		assert_true(access.readable);
	}
}

static void test_kernel_thread(void **state)
{
	struct fake target = fake(TARGET, "victim");

	target.kthread = 1;
	put_process(*state, &target);
	struct pidmem_access access = ask(state);
	assert_cause(&access, PIDMEM_CAUSE_KERNEL_THREAD, "kernel thread");
	assert_false(access.maps || access.mem);

	/* Before Linux 6.8 only the flags of stat tell, behind a name that may say anything. */
	target.kthread = -1;
	put_process(*state, &target);
	put(*state, "4242/stat", "4242 (a) b 1 (c) S 2 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n");
	access = ask(state);
	assert_cause(&access, PIDMEM_CAUSE_KERNEL_THREAD, "kernel thread");
	put(*state, "4242/stat", "4242 (a) b 1 (c) S 2 0 0 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n");
	access = ask(state);
	assert_true(access.readable);
}

static void test_zombie(void **state)
{
	struct fake parent = fake(4000, "parent"), target = fake(TARGET, "victim"), thread = fake(4300, "worker");

	put_process(*state, &parent);
	target.state = 'Z';
	target.ppid = 4000;
	put_process(*state, &target);
	struct pidmem_access access = ask(state);
	assert_cause(&access, PIDMEM_CAUSE_ZOMBIE, "process 4000 (parent)");
	assert_false(access.maps || access.mem || access.ptrace);

	thread.tgid = TARGET; /* another thread goes on: the memory is there, in its directory */
	put_thread(*state, &thread);
	access = ask(state);
	assert_row(&access, PIDMEM_CAUSE_ZOMBIE, PIDMEM_PASSED, "thread 4300");
	assert_false(access.maps);
	put(*state, "4242/task/4300/maps", "");
	put(*state, "4242/task/4300/mem", "");
	access = ask(state);
	assert_true(access.readable);
}

static void test_other_user(void **state)
{
	struct fake target = fake(TARGET, "victim"), caller = fake(CALLER, "pidmem");

	drop(*state, "4242/maps");
	drop(*state, "4242/mem");
	for (unsigned i = 0; i < 4; i++)
		target.uid[i] = 7654321;
	put_process(*state, &target);
	struct pidmem_access access = ask(state);
	assert_cause(&access, PIDMEM_CAUSE_OTHER_USER, "it belongs to user UID 7654321, you are ");
	assert_non_null(strstr(row(&access, PIDMEM_CAUSE_OTHER_USER)->fix, "give pidmem CAP_SYS_PTRACE"));
	assert_false(access.ptrace);

	caller.no_new_privs = 1; /* what would raise privileges has no effect */
	put_process(*state, &caller);
	access = ask(state);
	assert_null(strstr(row(&access, PIDMEM_CAUSE_OTHER_USER)->fix, "give pidmem CAP_SYS_PTRACE"));
	caller.cap_bnd = 0;
	put_process(*state, &caller);
	access = ask(state);
	assert_non_null(strstr(row(&access, PIDMEM_CAUSE_OTHER_USER)->fix, "--cap-add SYS_PTRACE"));

	caller.cap_eff = CAP(SYS_PTRACE); /* it passes over the user */
	put_process(*state, &caller);
	access = ask(state);
	assert_row(&access, PIDMEM_CAUSE_OTHER_USER, PIDMEM_PASSED, "CAP_SYS_PTRACE");
}

/* All three IDs must match, of the user and of the group. */
static void test_each_id(void **state)
{
	drop(*state, "4242/maps");
	drop(*state, "4242/mem");
	for (unsigned i = 0; i < 3; i++) {
		struct fake target = fake(TARGET, "victim");
		target.uid[i] = 7654321;
		put_process(*state, &target);
		struct pidmem_access access = ask(state);
		assert_row(&access, PIDMEM_CAUSE_OTHER_USER, PIDMEM_REFUSES, "UID 7654321");
		target = fake(TARGET, "victim");
		target.gid[i] = 7654321;
		put_process(*state, &target);
		access = ask(state);
		assert_row(&access, PIDMEM_CAUSE_OTHER_USER, PIDMEM_REFUSES, "GID 7654321");
	}
}

/* Files are opened with the file system IDs; attaching goes by the real ones. */
static void test_effective_user(void **state)
{
	struct fake caller = fake(CALLER, "pidmem");

	caller.uid[0] = 7654321;
	put_process(*state, &caller);
	struct pidmem_access access = ask(state);
	assert_true(access.readable);
	assert_false(access.ptrace);
	assert_row(&access, PIDMEM_CAUSE_OTHER_USER, PIDMEM_LIMITS, "UID 7654321");
}

static void test_root_without_capability(void **state)
{
	struct fake caller = fake(CALLER, "pidmem");

	drop(*state, "4242/maps");
	drop(*state, "4242/mem");
	memset(caller.uid, 0, sizeof(caller.uid));
	caller.cap_bnd = 0;
	put_process(*state, &caller);
	struct pidmem_access access = ask(state);
	assert_cause(&access, PIDMEM_CAUSE_MISSING_CAPABILITY, "you are root, but without CAP_SYS_PTRACE");
	assert_row(&access, PIDMEM_CAUSE_OTHER_USER, PIDMEM_REFUSES, "you are root");
}

static void test_capabilities(void **state)
{
	struct fake target = fake(TARGET, "victim"), caller = fake(CALLER, "pidmem");

	drop(*state, "4242/maps");
	drop(*state, "4242/mem");
	target.cap_prm = CAP(NET_RAW) | CAP(CHOWN) | CAP(KILL) | CAP(SYS_TIME) | 1ULL << 62;
	caller.cap_eff = CAP(CHOWN);
	put_process(*state, &target);
	put_process(*state, &caller);
	struct pidmem_access access = ask(state);
	assert_cause(&access, PIDMEM_CAUSE_MISSING_CAPABILITY,
		     "you lack: CAP_KILL, CAP_NET_RAW, CAP_SYS_TIME and 1 more;");
	caller.cap_eff = target.cap_prm;
	put_process(*state, &caller);
	access = ask(state);
	assert_row(&access, PIDMEM_CAUSE_MISSING_CAPABILITY, PIDMEM_PASSED, "no capability that you lack");
}

static void test_not_dumpable(void **state)
{
	if (geteuid() != 0) {
		print_message("skipped: needs root, to give a file to root\n");
		skip();
	}
	drop(*state, "4242/maps");
	drop(*state, "4242/mem");
	struct fake target = fake(TARGET, "victim");
	put_process(*state, &target);
	char path[128];
	snprintf(path, sizeof(path), "%s/4242/status", ((struct proc_root *)*state)->path);
	assert_int_equal(chown(path, 0, 0), 0);
	struct pidmem_access access = ask(state);
	assert_cause(&access, PIDMEM_CAUSE_NOT_DUMPABLE, "its files in /proc belong to root");
	put(*state, "4242/cmdline", "/nonexistent/victim");
	access = ask(state);
	assert_cause(&access, PIDMEM_CAUSE_NOT_DUMPABLE, "PR_SET_DUMPABLE");
}

static void test_user_namespace(void **state)
{
	struct fake caller = fake(CALLER, "pidmem");

	drop(*state, "4242/maps");
	drop(*state, "4242/mem");
	put(*state, "self/uid_map", "0 100000 65536\n");
	caller.cap_eff = caller.cap_prm = 0x1ffffffffff;
	put_process(*state, &caller);
	struct pidmem_access access = ask(state);
	assert_cause(&access, PIDMEM_CAUSE_USER_NAMESPACE, "outside yours");

	put(*state, "4242/uid_map", "0 1000 10\n10 2000 10\n"); /* below: capabilities count there */
	access = ask(state);
	assert_row(&access, PIDMEM_CAUSE_USER_NAMESPACE, PIDMEM_PASSED, "CAP_SYS_PTRACE counts");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_readable),
		TEST(test_errors),
		TEST(test_no_process),
		TEST(test_thread_id),
		TEST(test_hidepid),
		TEST(test_kernel_thread),
		TEST(test_zombie),
		TEST(test_other_user),
		TEST(test_each_id),
		TEST(test_effective_user),
		TEST(test_root_without_capability),
		TEST(test_capabilities),
		TEST(test_not_dumpable),
		TEST(test_user_namespace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
