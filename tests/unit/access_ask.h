/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking for the access diagnosis of a made-up process, and what is expected of the answer. `state` is a proc root. */
#ifndef UNIT_ACCESS_ASK_H
#define UNIT_ACCESS_ASK_H

#include "proc_root.h"
#include "unit.h"

int proc_root_set_up(void **state);
int proc_root_tear_down(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, proc_root_set_up, proc_root_tear_down)

/* The row of a cause, and the first cause that refuses. */
const struct pidmem_check *row(const struct pidmem_access *access, enum pidmem_cause cause);
enum pidmem_cause first(const struct pidmem_access *access);

/* What must hold of every answer: one row for each cause, each with a fact of one line; no cause if it is readable. */
void assert_sound(const struct pidmem_access *access);

struct pidmem_access ask_pid(void **state, pid_t pid);
/* TARGET, and a sound answer. */
struct pidmem_access ask(void **state);

void assert_row(const struct pidmem_access *access, enum pidmem_cause cause, enum pidmem_verdict verdict,
		const char *words);
/* The first cause, and what its fact says. */
void assert_cause(const struct pidmem_access *access, enum pidmem_cause cause, const char *words);

#endif
