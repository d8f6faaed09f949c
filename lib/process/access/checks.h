/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checks - from facts to causes: one small function per cause, in a table in the kernel's order
 *
 * The order is that of kernel/ptrace.c, __ptrace_may_access(): user and group, dumpable, then the security
 * modules (commoncap, Yama, others); before it comes what procfs itself decides, behind it what hinders in spite
 * of the right to read.
 */
#ifndef PROCESS_ACCESS_CHECKS_H
#define PROCESS_ACCESS_CHECKS_H

#include "process/access/facts.h"

/* What must be known before a check can look at anything. */
enum stage {
	STAGE_NUMBER, /* nothing */
	STAGE_STATUS, /* the number is that of a process */
	STAGE_USER,   /* and not of a kernel thread */
	STAGE_CLOSED, /* it lives, as far as can be told: but procfs may keep its files closed */
	STAGE_MEMORY, /* its status could be read, too */
};

/*
 * To add a check: a cause in pidmem.h and its word in base/names.c, facts in facts.h, a function here, its
 * row in the table at the place where the kernel looks, and tests in test_access.c and test_why.py.
 */
struct access_check {
	enum pidmem_cause cause;
	enum stage stage;
	void (*look)(const struct facts *facts, struct pidmem_check *check);
};
extern const struct access_check access_checks[PIDMEM_CAUSES - 1];

/* Write a verdict, or the way out, into a check. */
void verdict(struct pidmem_check *check, enum pidmem_verdict value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void way_out(struct pidmem_check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));
void way_out_privilege(const struct facts *facts, struct pidmem_check *check);

/* checks_kernel.c */
void look_user(const struct facts *facts, struct pidmem_check *check);
void look_dumpable(const struct facts *facts, struct pidmem_check *check);
void look_capability(const struct facts *facts, struct pidmem_check *check);
void look_userns(const struct facts *facts, struct pidmem_check *check);
void look_yama(const struct facts *facts, struct pidmem_check *check);
void look_modules(const struct facts *facts, struct pidmem_check *check);

/* rules.c: single rules of the kernel, as functions of the facts. */
enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_UNTOLD,
};
bool has_capability(const struct facts *facts, unsigned capability);
/* Is the target this very process? Then nothing is asked (same_thread_group()). */
bool is_self(const struct facts *facts);
bool has_ended_whole(const struct facts *facts);
/* Do real, effective and saved IDs of the target all match those that the caller opens files with? */
bool ids_match(const struct facts *facts);
/* The same for those that ptrace() goes by. */
bool real_ids_match(const struct facts *facts);
/* Has the caller CAP_SYS_PTRACE where the target is? */
bool reaches(const struct facts *facts);
/*
 * The kernel grants PTRACE_MODE_READ: so every rule up to commoncap passes, whatever can be told of it. That maps can
 * be opened does not prove it: since Linux 6.15 CAP_PERFMON is enough for that (may_access_mm() in kernel/fork.c).
 */
bool lets_read(const struct facts *facts);
/* A program that got other IDs than those of the user who started it. */
bool is_set_id(const struct facts *facts);
enum answer is_dumpable(const struct facts *facts);
/* /proc/PID/mem has the owner's mode 0600: the right to trace does not open it to others. */
bool closed_by_mode(const struct facts *facts);
/* An errno that a system call filter gives and the kernel's rules do not; 0 if there is none. */
int filter_errno(const struct facts *facts);

#endif
