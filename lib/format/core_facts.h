/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the notes of a core file tell of the process. */
#ifndef FORMAT_CORE_FACTS_H
#define FORMAT_CORE_FACTS_H

#include "format/core_headers.h"
#include "format/file_list.h"
#include "format/layout.h"
#include "format/origins.h"
#include "format/record.h"
#include "format/regions_table.h"

struct core_task {
	pid_t tid;
	int signal; /* that it was about to take, or 0 */
};

/* struct core_facts - what is known; begin with zeros */
struct core_facts {
	pid_t pid; /* 0 if it is not told */
	uid_t uid;
	char name[PRPSINFO_NAME + 1];
	char arguments[PRPSINFO_ARGUMENTS + 1]; /* blanks between them; cut by the format */
	struct core_task *tasks;
	size_t task_count, task_capacity;
	uint64_t vdso, random; /* addresses from the auxiliary vector: AT_SYSINFO_EHDR, AT_RANDOM */
	struct file_list files;
	struct regions_list regions;
	struct origins origins;
	struct record record;
	size_t notes;    /* of all owners */
	bool incomplete; /* some notes are missing in the file */
	bool has_process, has_auxv, has_files, has_regions, has_record, has_registers;
	bool bad_files, bad_regions, bad_record, bad_origins; /* there, and cannot be true */
	bool gdb;                                             /* notes of gdb's own are there */
};
void core_facts_done(struct core_facts *facts);
#define AUTO_CORE_FACTS CLEANUP(core_facts_done) struct core_facts

/* Go through the notes. What makes no sense is left aside and marked. 0, -ENOMEM or -EIO. */
int core_facts_read(struct core_facts *facts, const struct core_headers *headers, const struct byte_reader *reader);

#endif
