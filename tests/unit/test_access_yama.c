/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Yama, and what leaves reading possible but less than that, against a made-up /proc. */
#include "access_ask.h"

#include <linux/capability.h>
#include <string.h>

#define CAP(name) (1ULL << CAP_##name)

/* ------------------------------------------------------------------------------------------------------ Yama --- */

static struct pidmem_access ask_yama(void **state, const char *scope)
{
	put(*state, "sys/kernel/yama/ptrace_scope", scope);
	return ask(state);
}

/* Yama lets open maps, which takes the right to read, but not mem, which takes the right to attach. */
static void test_yama(void **state)
{
	drop(*state, "4242/mem");
	struct pidmem_access access = ask_yama(state, "1\n");
	assert_cause(&access, PIDMEM_CAUSE_YAMA_SCOPE, "ptrace_scope is 1: only its ancestors");
	assert_non_null(strstr(row(&access, PIDMEM_CAUSE_YAMA_SCOPE)->fix, "sysctl kernel.yama.ptrace_scope=0"));
	assert_true(access.maps);
	assert_false(access.mem || access.ptrace);
	access = ask_yama(state, "2\n");
	assert_cause(&access, PIDMEM_CAUSE_YAMA_SCOPE, "ptrace_scope is 2: only CAP_SYS_PTRACE");
	access = ask_yama(state, "3\n");
	assert_cause(&access, PIDMEM_CAUSE_YAMA_SCOPE, "ptrace_scope is 3: nobody");
	assert_null(strstr(row(&access, PIDMEM_CAUSE_YAMA_SCOPE)->fix, "sysctl"));
	access = ask_yama(state, "0\n");
	assert_row(&access, PIDMEM_CAUSE_YAMA_SCOPE, PIDMEM_PASSED, "is 0");
	assert_cause(&access, PIDMEM_CAUSE_MEM_RESTRICTED, "maps can be opened, but mem cannot");
}

/* Whatever the scope: what can be opened is not refused (prctl(PR_SET_PTRACER) cannot be seen from outside). */
static void test_yama_lets_pass(void **state)
{
	for (const char *scope = "0123"; *scope; scope++) {
		struct pidmem_access access = ask_yama(state, (char[]){ *scope, '\n', 0 });
		assert_true(access.readable && access.ptrace);
		assert_row(&access, PIDMEM_CAUSE_YAMA_SCOPE, PIDMEM_PASSED, "ptrace_scope is ");
	}
}

static void test_yama_capability(void **state)
{
	struct fake caller = fake(CALLER, "pidmem");

	drop(*state, "4242/mem");
	caller.cap_eff = CAP(SYS_PTRACE);
	put_process(*state, &caller);
	for (const char *scope = "12"; *scope; scope++) {
		struct pidmem_access access = ask_yama(state, (char[]){ *scope, '\n', 0 });
		assert_row(&access, PIDMEM_CAUSE_YAMA_SCOPE, PIDMEM_PASSED, "CAP_SYS_PTRACE");
	}
	struct pidmem_access access = ask_yama(state, "3\n"); /* which even this does not help against */
	assert_cause(&access, PIDMEM_CAUSE_YAMA_SCOPE, "nobody");
}

static void test_yama_descendant(void **state)
{
	struct fake target = fake(TARGET, "victim"), middle = fake(4000, "shell");

	drop(*state, "4242/mem");
	target.ppid = 4000;
	middle.ppid = CALLER;
	put_process(*state, &target);
	put_process(*state, &middle);
	struct pidmem_access access = ask_yama(state, "1\n");
	assert_row(&access, PIDMEM_CAUSE_YAMA_SCOPE, PIDMEM_PASSED, "descendant");
	access = ask_yama(state, "2\n"); /* does not count any more */
	assert_cause(&access, PIDMEM_CAUSE_YAMA_SCOPE, "is 2");

	middle.ppid = TARGET; /* a circle, as no kernel writes it */
	put_process(*state, &middle);
	access = ask_yama(state, "1\n");
	assert_cause(&access, PIDMEM_CAUSE_YAMA_SCOPE, "only its ancestors");
}

static void test_yama_after_the_user(void **state)
{
	struct fake target = fake(TARGET, "victim");

	drop(*state, "4242/maps");
	drop(*state, "4242/mem");
	for (unsigned i = 0; i < 4; i++)
		target.uid[i] = 7654321;
	put_process(*state, &target);
	struct pidmem_access access = ask_yama(state, "1\n");
	assert_cause(&access, PIDMEM_CAUSE_OTHER_USER, "UID 7654321");
	assert_row(&access, PIDMEM_CAUSE_YAMA_SCOPE, PIDMEM_REFUSES, "is 1");
}

/* ------------------------------------------------------------------------------------------- less than all --- */

static void test_traced(void **state)
{
	struct fake target = fake(TARGET, "victim"), tracer = fake(555, "g\\\\d\\nb"), thread = fake(4300, "worker");

	target.tracer = 555;
	put_process(*state, &tracer);
	put_process(*state, &target);
	struct pidmem_access access = ask(state);
	assert_true(access.readable);
	assert_false(access.ptrace);
	assert_row(&access, PIDMEM_CAUSE_ALREADY_TRACED, PIDMEM_LIMITS, "process 555 (g\\d?b)");

	target.tracer = CALLER; /* the caller itself */
	put_process(*state, &target);
	access = ask(state);
	assert_row(&access, PIDMEM_CAUSE_ALREADY_TRACED, PIDMEM_PASSED, "this very process");

	target.tracer = 0;
	put_process(*state, &target);
	thread.tgid = TARGET;
	thread.tracer = 555;
	put_thread(*state, &thread);
	access = ask(state);
	assert_row(&access, PIDMEM_CAUSE_ALREADY_TRACED, PIDMEM_LIMITS, "process 555");
}

static void test_seccomp_elsewhere(void **state)
{
	struct fake caller = fake(CALLER, "pidmem");

	caller.seccomp = 2;
	put_process(*state, &caller);
	struct pidmem_access access = ask(state);
	assert_true(access.readable);
	assert_false(access.ptrace); /* not known, so not promised */
	assert_row(&access, PIDMEM_CAUSE_SECCOMP, PIDMEM_UNKNOWN, "could not be asked");
}

static void test_override(void **state)
{
	static const struct {
		const char *line, *told;
	} lines[] = {
		{ "quiet proc_mem.force_override=never\n", "force_override=never" },
		{ "proc_mem.force_override=always proc_mem.force_override=ptrace quiet\n", "force_override=ptrace" },
		{ "proc_mem.force_override=never proc_mem.force_override=always\n", NULL },
		{ "quiet -- proc_mem.force_override=never\n", NULL },
		{ "xproc_mem.force_override=never\n", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		put(*state, "cmdline", lines[i].line);
		struct pidmem_access access = ask(state);
		assert_true(access.readable);
		assert_row(&access, PIDMEM_CAUSE_MEM_RESTRICTED, lines[i].told ? PIDMEM_LIMITS : PIDMEM_PASSED,
			   lines[i].told ? lines[i].told : "can be read");
	}
}

static void test_no_pagemap(void **state)
{
	drop(*state, "4242/pagemap");
	struct pidmem_access access = ask(state);
	assert_true(access.readable);
	assert_false(access.pagemap);
	assert_row(&access, PIDMEM_CAUSE_MEM_RESTRICTED, PIDMEM_LIMITS, "pagemap");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_yama),
		TEST(test_yama_lets_pass),
		TEST(test_yama_capability),
		TEST(test_yama_descendant),
		TEST(test_yama_after_the_user),
		TEST(test_traced),
		TEST(test_seccomp_elsewhere),
		TEST(test_override),
		TEST(test_no_pagemap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
