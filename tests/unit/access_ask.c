/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "access_ask.h"

#include <string.h>

int proc_root_set_up(void **state)
{
	*state = proc_root_new();
	return 0;
}

int proc_root_tear_down(void **state)
{
	proc_root_free(*state);
	return 0;
}

const struct pidmem_check *row(const struct pidmem_access *access, enum pidmem_cause cause)
{
	for (size_t i = 0; i < access->count; i++)
		if (access->checks[i].cause == cause)
			return &access->checks[i];
	fail_msg("no row for %s", pidmem_cause_name(cause));
	return NULL;
}

enum pidmem_cause first(const struct pidmem_access *access)
{
	for (size_t i = 0; i < access->count; i++)
		if (access->checks[i].verdict == PIDMEM_REFUSES)
			return access->checks[i].cause;
	return PIDMEM_CAUSE_NONE;
}

void assert_sound(const struct pidmem_access *access)
{
	assert_int_equal(access->count, PIDMEM_CAUSES - 1);
	for (int cause = 1; cause < PIDMEM_CAUSES; cause++) {
		const struct pidmem_check *check = row(access, (enum pidmem_cause)cause);
		assert_true(*check->fact);
		assert_null(strchr(check->fact, '\n'));
		assert_null(strchr(check->fix, '\n'));
		if (check->verdict == PIDMEM_PASSED || check->verdict == PIDMEM_UNKNOWN)
			assert_string_equal(check->fix, "");
	}
	assert_int_equal(access->readable, first(access) == PIDMEM_CAUSE_NONE);
}

struct pidmem_access ask_pid(void **state, pid_t pid)
{
	struct proc_root *root = *state;
	struct pidmem_open_options options = PIDMEM_INIT(options);
	struct pidmem_access access = PIDMEM_INIT(access);
	struct pidmem_error error;

	options.proc = root->path;
	assert_int_equal(pidmem_access_check(pid, &options, &error, &access), 0);
	return access;
}

struct pidmem_access ask(void **state)
{
	struct pidmem_access access = ask_pid(state, TARGET);

	assert_sound(&access);
	assert_string_equal(access.name, "victim");
	return access;
}

void assert_row(const struct pidmem_access *access, enum pidmem_cause cause, enum pidmem_verdict verdict,
		const char *words)
{
	const struct pidmem_check *check = row(access, cause);

	if (check->verdict != verdict || !strstr(check->fact, words))
		fail_msg("%s: verdict %d, \"%s\"; wanted verdict %d, \"%s\"", pidmem_cause_name(cause),
			 (int)check->verdict, check->fact, (int)verdict, words);
}

void assert_cause(const struct pidmem_access *access, enum pidmem_cause cause, const char *words)
{
	assert_string_equal(pidmem_cause_name(first(access)), pidmem_cause_name(cause));
	assert_row(access, cause, PIDMEM_REFUSES, words);
}
