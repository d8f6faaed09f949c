/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parsers of /proc/PID/status and /proc/PID/stat. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process/status.h"

static const char ordinary[] =
	"Name:\ta\\nb\\\\c d\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t4242\nNgid:\t0\nPid:\t4243\n"
	"PPid:\t1\nTracerPid:\t77\nUid:\t1000\t0\t4294967295\t5\nGid:\t1\t2\t3\t4\nFDSize:\t256\n"
	"Groups:\t4 24 \nNSpid:\t4243\t12\t1\nKthread:\t0\nVmSize:\t    3060 kB\nVmRSS:\t    1728 kB\n"
	"RssShmem:\t       4 kB\nVmPTE:\t      48 kB\nVmSwap:\t       8 kB\nThreads:\t37\n"
	"SigPnd:\t8000000000000001\nShdPnd:\t0000000000000100\nSigBlk:\t7ffffffe00000002\n"
	"CapInh:\t0000000000000001\nCapPrm:\t000001ffffffffff\nCapEff:\tffffffffffffffff\n"
	"CapBnd:\t00000000a80425fb\nNoNewPrivs:\t1\nSeccomp:\t2\n";
static const char least[] = "Name:\tx\nState:\tZ\nTgid:\t1\nPid:\t1\nPPid:\t0\nUid:\t0 0 0 0\nGid:\t0 0 0 0";

/* In a block of just that size, so that a sanitizer sees every step outside. */
static int parse(const char *text, size_t size, struct process_status *status)
{
	char *exact = malloc(size ? size : 1);

	memcpy(exact, text, size);
	int result = status_parse(exact, size, status);
	free(exact);
	return result;
}

static int parse_stat(const char *text, size_t size, struct process_stat *stat)
{
	char *exact = malloc(size ? size : 1);

	memcpy(exact, text, size);
	int result = stat_parse(exact, size, stat);
	free(exact);
	return result;
}

static void test_status(void **state)
{
	struct process_status status;

	(void)state;
	assert_int_equal(parse(ordinary, sizeof(ordinary) - 1, &status), 0);
	assert_string_equal(status.name, "a\nb\\c d");
	assert_int_equal(status.state, 'S');
	assert_int_equal(status.tgid, 4242);
	assert_int_equal(status.pid, 4243);
	assert_int_equal(status.ppid, 1);
	assert_int_equal(status.tracer, 77);
	assert_memory_equal(status.uid, ((uid_t[]){ 1000, 0, 4294967295, 5 }), sizeof(status.uid));
	assert_memory_equal(status.gid, ((gid_t[]){ 1, 2, 3, 4 }), sizeof(status.gid));
	assert_int_equal(status.threads, 37);
	assert_true(status.sig_pending == 0x8000000000000001 && status.sig_blocked == 0x7ffffffe00000002);
	assert_true(status.cap_inh == 1 && status.cap_prm == 0x1ffffffffff && status.cap_eff == UINT64_MAX);
	assert_int_equal(status.cap_bnd, 0xa80425fb);
	assert_int_equal(status.seccomp, 2);
	assert_int_equal(status.no_new_privs, 1);
	assert_int_equal(status.kthread, 0);
	assert_int_equal(status.ns_pid_count, 3);
	assert_true(status.has_memory);
	assert_int_equal(status.vm_size, 3060 * 1024);
	assert_int_equal(status.vm_rss, 1728 * 1024);
	assert_int_equal(status.rss_shmem, 4 * 1024);
	assert_int_equal(status.vm_pte, 48 * 1024);
	assert_int_equal(status.vm_swap, 8 * 1024);
}

static void test_least_status(void **state)
{
	struct process_status status;

	(void)state;
	assert_int_equal(parse(least, sizeof(least) - 1, &status), 0);
	assert_int_equal(status.state, 'Z');
	assert_false(status.has_memory);
	assert_true(status.seccomp == -1 && status.no_new_privs == -1 && status.kthread == -1);
	assert_int_equal(status.threads, 0);
}

static void test_bad_status(void **state)
{
	static const char *const lines[] = {
		"Name:\tx\n", "State:\tS\n",     "Tgid:\t1\n",      "Pid:\t1\n",
		"PPid:\t1\n", "Uid:\t0 0 0 0\n", "Gid:\t0 0 0 0\n",
	};
	static const char *const bad[] = {
		"State:\n",
		"State:\t1\n",
		"Tgid:\n",
		"Tgid:\t-1\n",
		"Pid:\t2147483648\n",
		"PPid:\tx\n",
		"Uid:\t0 0 0\n",
		"Gid:\t0 0 0 x\n",
		"Uid:\t4294967296 0 0 0\n",
		"Threads:\t\n",
		"CapEff:\tg\n",
		"NSpid:\t1 x\n",
		"CapEff:\t10000000000000000\n",
		"Seccomp:\t-1\n",
		"TracerPid:\t99999999999999999999\n",
		"VmSize:\t18014398509481984 kB\n",
	};
	struct process_status status = { .pid = 5 };
	char text[1024];

	(void)state;
	for (size_t left_out = 0; left_out <= 7; left_out++) {
		size_t length = 0;
		for (size_t i = 0; i < 7; i++)
			if (i != left_out)
				length += (size_t)snprintf(text + length, sizeof(text) - length, "%s", lines[i]);
		assert_int_equal(parse(text, strlen(text), &status), left_out == 7 ? 0 : -EBADMSG);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), "%s\n%s", least, bad[i]);
		status.pid = 5;
		assert_int_equal(parse(text, strlen(text), &status), -EBADMSG);
		assert_int_equal(status.pid, 5); /* written on success only */
	}
	assert_int_equal(status_parse(NULL, 0, &status), -EBADMSG);
	snprintf(text, sizeof(text), "%s\nVmSize:\t18014398509481983 kB\n", least);
	assert_int_equal(parse(text, strlen(text), &status), 0);
	assert_true(status.vm_size == 18014398509481983 * UINT64_C(1024));
}

/* Cut off anywhere, it is an error or an answer, never a step outside. */
static void test_cut_off(void **state)
{
	static const char stat[] = "1 (a) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 5 0 0";
	struct process_status status;
	struct process_stat parsed;

	(void)state;
	size_t needed = (size_t)(strstr(ordinary, "\nGid:") + 12 - ordinary);
	for (size_t size = 0; size < sizeof(ordinary); size++) {
		int result = parse(ordinary, size, &status);
		assert_true(result == -EBADMSG || (size >= needed && result == 0));
	}
	for (size_t size = 0; size < sizeof(stat); size++)
		assert_int_equal(parse_stat(stat, size, &parsed), size < strlen(stat) - 4 ? -EBADMSG : 0);
}

static void test_long_name(void **state)
{
	struct process_status status;
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), "%s\nName:\t%0200d", least, 7);
	assert_int_equal(parse(text, strlen(text), &status), 0);
	assert_int_equal(strlen(status.name), 63);
	snprintf(text, sizeof(text), "%s\nName:\tend\\", least);
	assert_int_equal(parse(text, strlen(text), &status), 0);
	assert_string_equal(status.name, "end\\");
}

static void test_stat(void **state)
{
	static const char text[] =
		"4242 (a) S 7 (\n) R 1 2 3 0 -1 2129984 10 11 12 13 14 15 16 17 20 -5 1 0 18446744073709551615 9\n";
	struct process_stat stat;

	(void)state;
	assert_int_equal(parse_stat(text, sizeof(text) - 1, &stat), 0);
	assert_int_equal(stat.pid, 4242);
	assert_string_equal(stat.name, "a) S 7 (\n");
	assert_int_equal(stat.state, 'R');
	assert_int_equal(stat.ppid, 1);
	assert_int_equal(stat.flags, 2129984);
	assert_true(stat.flags & PROCESS_FLAG_KTHREAD);
	assert_true(stat.start_time == UINT64_MAX);
	assert_true(stat.pgrp == 2 && stat.session == 3 && stat.nice == -5);
	assert_memory_equal(stat.times, ((uint64_t[]){ 14, 15, 16, 17 }), sizeof stat.times);
	assert_true(stat.arg_start == 0 && stat.arg_end == 0); /* not told that far */
}

/* As Linux 6.18 has it: 52 fields, and of a thread that has ended no group and session. */
static void test_long_stat(void **state)
{
	static const char text[] = "7 (x) X 0 -1 -1 0 -1 4227084 0 0 0 0 0 0 0 0 0 0 1 0 9 23 24 25 26 27 28 29 30 31 "
				   "32 33 34 35 36 37 38 "
				   "39 40 41 42 43 44 45 46 47 140737488347136 140737488347200 50 51 52\n";
	struct process_stat stat;

	(void)state;
	assert_int_equal(parse_stat(text, sizeof(text) - 1, &stat), 0);
	assert_true(stat.pgrp == -1 && stat.session == -1);
	assert_true(stat.arg_start == 140737488347136 && stat.arg_end == 140737488347200);
}

static void test_bad_stat(void **state)
{
	static const char *const bad[] = {
		"",
		"x (a) S 1 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 5",
		"1 a S 1 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 5",
		"1 (a S 1 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 5",
		"1 (a) S 1 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 -5",
		"1 (a) S 1 1 1 0 -1 4294967296 1 2 3 4 5 6 7 8 20 0 1 0 5",
		"1 (a) S 1 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0",
		"1 (a)",
		"1 (a) S 1 - 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 5",
		"1 (a) S 1 -2147483649 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 5",
		"1 (a) S 1 1 1 0 -1 0 1 2 3 4 5 6 7 -8 20 0 1 0 5",
		"1 (a) S 1 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 x 1 0 5",
		"1 (a) S 1 1 1 0 -1 0 1 2 3 4 5 6 7 8 9 0 1 0 5 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 -1 2",
	};
	struct process_stat stat = { .pid = 5 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(parse_stat(bad[i], strlen(bad[i]), &stat), -EBADMSG);
	assert_int_equal(stat_parse(NULL, 0, &stat), -EBADMSG);
	assert_int_equal(stat.pid, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),   cmocka_unit_test(test_least_status), cmocka_unit_test(test_bad_status),
		cmocka_unit_test(test_cut_off),  cmocka_unit_test(test_long_name),    cmocka_unit_test(test_stat),
		cmocka_unit_test(test_bad_stat), cmocka_unit_test(test_long_stat),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
