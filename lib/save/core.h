/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A core file while it is written. */
#ifndef SAVE_CORE_H
#define SAVE_CORE_H

#include "base/buffer.h"
#include "save/core_notes.h"
#include "save/core_plan.h"
#include "save/limits.h"
#include "sink/file.h"
#include "sink/watch.h"

struct core {
	struct pidmem_source *source;
	struct pidmem_account *account;
	struct file_sink file;
	struct watch watch;
	struct limits limits;
	struct core_plan plan;
	struct core_kind kind;
	struct buffer notes;
	struct buffer tables, origins; /* pidmem's own segments */
	size_t threads;
	struct pidmem_walk *walk;
};

/* ELF_EXEC_PAGESIZE of x86 and arm64: content begins at multiples of it. */
#define CORE_ALIGNMENT 4096
uint64_t core_align(uint64_t offset);

/* Take over the places that a store gave to the content: 0 or -ENOMEM. */
struct store;
int core_plan_place(struct core_plan *plan, const struct store *store);
/* Give a place to all other content, from an offset on: where it ends. */
uint64_t core_lay_out(struct core_plan *plan, uint64_t offset);

/* Write what the plan says, after the headers and notes. 0 or -errno. */
int core_write_content(struct core *core, struct pidmem_error *error);

#endif
