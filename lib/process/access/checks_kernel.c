/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of __ptrace_may_access() (kernel/ptrace.c) and of the security modules that it asks. */
#include <linux/capability.h>
#include <stdio.h>

#include "process/access/checks.h"
#include "process/access/words.h"

static struct words user(const struct facts *facts, uid_t uid)
{
	return words_user(uid, facts->userns.overflow);
}

static struct words you(const struct facts *facts)
{
	return words_user(facts->self.uid[ID_FS], false);
}

/* Why somebody else's process may be read. */
static const char *by_what_right(const struct facts *facts)
{
	return reaches(facts) ? "you have CAP_SYS_PTRACE" : "you own its user namespace";
}

/* ---------------------------------------------------------------------------------------- user and dumpable --- */

static void look_closed_user(const struct facts *facts, struct pidmem_check *check)
{
	if (facts->dir_uid == facts->self.uid[ID_FS] || facts->dir_uid == OVERFLOW_ID) {
		verdict(check, PIDMEM_UNKNOWN, "its status cannot be read");
		return;
	}
	verdict(check, PIDMEM_REFUSES, "it belongs to user %s, you are %s", user(facts, facts->dir_uid).text,
		you(facts).text);
	way_out_privilege(facts, check);
}

/* The right words for IDs that do not match. */
static void other_user(const struct facts *facts, struct pidmem_check *check, enum pidmem_verdict value,
		       const char *end)
{
	const uid_t *uid = facts->target.uid, mine = facts->self.uid[ID_FS];
	const gid_t *gid = facts->target.gid;
	bool uid_set = uid[ID_REAL] != uid[ID_EFFECTIVE] || uid[ID_REAL] != uid[ID_SAVED];
	bool gid_set = gid[ID_REAL] != gid[ID_EFFECTIVE] || gid[ID_REAL] != gid[ID_SAVED];

	if (uid_set)
		verdict(check, value, "it belongs to several users: real %s, effective %s, saved %s; you are %s%s",
			user(facts, uid[ID_REAL]).text, user(facts, uid[ID_EFFECTIVE]).text,
			user(facts, uid[ID_SAVED]).text, you(facts).text, end);
	else if (uid[ID_REAL] != mine)
		verdict(check, value, "it belongs to user %s, you are %s%s", user(facts, uid[ID_REAL]).text,
			you(facts).text, end);
	else if (gid_set)
		verdict(check, value, "its groups are: real %s, effective %s, saved %s; yours is %s%s",
			words_group(gid[ID_REAL], facts->userns.overflow).text,
			words_group(gid[ID_EFFECTIVE], facts->userns.overflow).text,
			words_group(gid[ID_SAVED], facts->userns.overflow).text,
			words_group(facts->self.gid[ID_FS], false).text, end);
	else
		verdict(check, value, "its group is %s, yours is %s%s",
			words_group(gid[ID_REAL], facts->userns.overflow).text,
			words_group(facts->self.gid[ID_FS], false).text, end);
}

void look_user(const struct facts *facts, struct pidmem_check *check)
{
	char end[64];

	if (facts->presence == PRESENCE_CLOSED) {
		look_closed_user(facts, check);
	} else if (is_self(facts)) {
		verdict(check, PIDMEM_PASSED,
			"it is this very process, which may read itself (but not attach to itself)");
	} else if (reaches(facts) || (lets_read(facts) && !ids_match(facts))) {
		snprintf(end, sizeof end, "; %s", by_what_right(facts));
		if (ids_match(facts))
			verdict(check, PIDMEM_PASSED, "it belongs to user %s, as you do", you(facts).text);
		else
			other_user(facts, check, PIDMEM_PASSED, end);
	} else if (!ids_match(facts)) {
		other_user(facts, check, PIDMEM_REFUSES, "");
		way_out_privilege(facts, check);
	} else if (!real_ids_match(facts)) {
		verdict(check, PIDMEM_LIMITS,
			"it belongs to your effective user %s, but attaching goes by your real user %s",
			you(facts).text, words_user(facts->self.uid[ID_REAL], false).text);
	} else {
		verdict(check, PIDMEM_PASSED, "it belongs to user %s, as you do", you(facts).text);
	}
}

/* How it came to be not dumpable: PR_SET_DUMPABLE(2const) lists the ways. */
static void not_dumpable(const struct facts *facts, struct pidmem_check *check)
{
	const struct process_status *target = &facts->target;

	if (is_set_id(facts) && target->uid[ID_REAL] != target->uid[ID_EFFECTIVE])
		verdict(check, PIDMEM_REFUSES,
			"it runs a set-user-ID program (real user %s, effective user %s): not dumpable",
			user(facts, target->uid[ID_REAL]).text, user(facts, target->uid[ID_EFFECTIVE]).text);
	else if (is_set_id(facts))
		verdict(check, PIDMEM_REFUSES,
			"it runs a set-group-ID program (real group %s, effective group %s): not dumpable",
			words_group(target->gid[ID_REAL], facts->userns.overflow).text,
			words_group(target->gid[ID_EFFECTIVE], facts->userns.overflow).text);
	else if (facts->program_unreadable)
		verdict(check, PIDMEM_REFUSES,
			"it is not dumpable: its files in /proc belong to %s, and its user %s may not read its "
			"program, %s (mode %04o)",
			user(facts, facts->status.uid).text, user(facts, target->uid[ID_EFFECTIVE]).text,
			facts->program, facts->program_mode & 07777);
	else if (target->cap_prm && target->uid[ID_EFFECTIVE] != 0)
		verdict(check, PIDMEM_REFUSES,
			"it is not dumpable: its files in /proc belong to %s; it got capabilities from its program "
			"(%s)",
			user(facts, facts->status.uid).text, words_capabilities(target->cap_prm).text);
	else
		verdict(check, PIDMEM_REFUSES,
			"it is not dumpable: its files in /proc belong to %s; it asked for that (prctl "
			"PR_SET_DUMPABLE), changed its user or group, or may not read its own program",
			user(facts, facts->status.uid).text);
	way_out_privilege(facts, check);
}

void look_dumpable(const struct facts *facts, struct pidmem_check *check)
{
	enum answer dumpable = is_dumpable(facts);

	if (dumpable == ANSWER_YES)
		verdict(check, PIDMEM_PASSED, "it is dumpable");
	else if (is_self(facts) && !closed_by_mode(facts))
		verdict(check, PIDMEM_PASSED, "it is this very process");
	else if (reaches(facts) || (lets_read(facts) && !closed_by_mode(facts)))
		verdict(check, PIDMEM_PASSED,
			dumpable == ANSWER_NO ? "it is not dumpable, but %s" : "does not matter: %s",
			ids_match(facts) && !reaches(facts) ? "it may be read" : by_what_right(facts));
	else if (dumpable == ANSWER_NO)
		not_dumpable(facts, check);
	else
		verdict(check, PIDMEM_UNKNOWN,
			"cannot be told of a process of root: its files belong to root either way");
}

/* --------------------------------------------------------------------------------- capabilities and modules --- */

void look_capability(const struct facts *facts, struct pidmem_check *check)
{
	uint64_t more = facts->target.cap_prm & ~facts->self.cap_eff;

	if (closed_by_mode(facts)) {
		verdict(check, PIDMEM_REFUSES, "%s, but /proc/%d/mem may be opened by its owner %s alone (mode %04o)",
			is_self(facts) ? "it is this very process" : by_what_right(facts), facts->pid,
			user(facts, facts->mem.uid).text, facts->mem.mode & 07777);
		way_out(check, "run it as root, or give pidmem CAP_DAC_READ_SEARCH too");
	} else if (is_self(facts)) {
		verdict(check, PIDMEM_PASSED, "none is needed to read oneself");
	} else if (has_capability(facts, CAP_SYS_PTRACE)) {
		verdict(check, PIDMEM_PASSED, "you have CAP_SYS_PTRACE");
	} else if (lets_read(facts)) {
		verdict(check, PIDMEM_PASSED,
			more ? "you own its user namespace" : "it has no capability that you lack");
	} else if (facts->self.uid[ID_FS] == 0 && (!ids_match(facts) || is_dumpable(facts) == ANSWER_NO)) {
		verdict(check, PIDMEM_REFUSES, "you are root, but without CAP_SYS_PTRACE");
		way_out_privilege(facts, check);
	} else if (facts->userns.relation != USERNS_SAME) {
		verdict(check, PIDMEM_UNKNOWN, "its capabilities are of another user namespace than yours");
	} else if (more) {
		verdict(check, PIDMEM_REFUSES,
			"it has capabilities that you lack: %s; only CAP_SYS_PTRACE passes over that",
			words_capabilities(more).text);
		way_out_privilege(facts, check);
	} else {
		verdict(check, PIDMEM_PASSED, "it has no capability that you lack");
	}
}

void look_userns(const struct facts *facts, struct pidmem_check *check)
{
	if (facts->userns.relation == USERNS_SAME) {
		verdict(check, PIDMEM_PASSED, "it is in your user namespace");
	} else if (facts->userns.relation == USERNS_UNKNOWN) {
		verdict(check, PIDMEM_UNKNOWN, "its uid_map could not be read");
	} else if (lets_read(facts) || reaches(facts)) {
		verdict(check, PIDMEM_PASSED, "it is in another user namespace, where %s",
			reaches(facts) ? "your CAP_SYS_PTRACE counts" : "you have all rights");
	} else if (facts->userns.relation == USERNS_BELOW) {
		verdict(check, PIDMEM_REFUSES, "it is in another user namespace, where you have no CAP_SYS_PTRACE");
		way_out(check, "run it as root, or as the user who made that namespace");
	} else {
		verdict(check, PIDMEM_REFUSES,
			"it is in another user namespace, outside yours, where your capabilities do not count");
		way_out(check, "run pidmem outside this user namespace (or container), as root there");
	}
}

void look_yama(const struct facts *facts, struct pidmem_check *check)
{
	int scope = facts->yama;

	if (scope <= 0)
		verdict(check, PIDMEM_PASSED, scope < 0 ? "the kernel has no Yama" : "kernel.yama.ptrace_scope is 0");
	else if (is_self(facts))
		verdict(check, PIDMEM_PASSED, "it is this very process");
	else if (facts->mem.error == 0)
		verdict(check, PIDMEM_PASSED, "kernel.yama.ptrace_scope is %d, and lets you", scope);
	else if (scope < 3 && reaches(facts))
		verdict(check, PIDMEM_PASSED, "kernel.yama.ptrace_scope is %d, but you have CAP_SYS_PTRACE", scope);
	else if (scope == 1 && facts->descendant)
		verdict(check, PIDMEM_PASSED, "kernel.yama.ptrace_scope is 1, and it is a descendant of this process");
	else if (scope == 1)
		verdict(check, PIDMEM_REFUSES,
			"kernel.yama.ptrace_scope is 1: only its ancestors may read it, and this process is none");
	else if (scope == 2)
		verdict(check, PIDMEM_REFUSES, "kernel.yama.ptrace_scope is 2: only CAP_SYS_PTRACE may read it");
	else
		verdict(check, PIDMEM_REFUSES,
			"kernel.yama.ptrace_scope is %d: nobody may read the memory of another process", scope);
	if (check->verdict == PIDMEM_REFUSES && scope > 2)
		way_out(check,
			"none while this system runs: the kernel lets nobody lower it from 3 before the next boot");
	else if (check->verdict == PIDMEM_REFUSES)
		way_out(check,
			"run it as root, or set kernel.yama.ptrace_scope to 0: sysctl kernel.yama.ptrace_scope=0");
}

void look_modules(const struct facts *facts, struct pidmem_check *check)
{
	bool readable = lets_read(facts) && facts->mem.error == 0;

	if (!facts->modules[0])
		verdict(check, readable ? PIDMEM_PASSED : PIDMEM_UNKNOWN,
			"no security module that might refuse is to be seen");
	else if (readable)
		verdict(check, PIDMEM_PASSED, "no security module refuses (there are: %s)", facts->modules);
	else
		verdict(check, PIDMEM_UNKNOWN, "there are security modules (%s); they are asked last of all",
			facts->modules);
}
