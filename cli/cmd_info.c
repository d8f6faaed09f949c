/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* info TARGET - what it is: threads, kinds of memory, modules; of a file also what it lacks. */
#include "command.h"
#include "failure.h"
#include "info.h"
#include "saved.h"
#include "ui/account.h"
#include "ui/output.h"
#include "ui/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A library begins with its ELF header; the same file may be mapped there in several regions. */
static bool may_be_module(const struct pidmem_region *region)
{
	return region->path_size && region->offset == 0 &&
	       (region->kind == PIDMEM_KIND_FILE || !strcmp(region->path, "[vdso]"));
}

/* True also without an id, if there is an ELF header. */
static bool read_build_id(const struct info *info, const struct pidmem_region *region, struct info_module *module)
{
	unsigned char id[INFO_BUILD_ID], magic[4];
	ssize_t size;

	if (pidmem_source_read(info->source, region->start, magic, sizeof(magic), NULL, NULL) != sizeof(magic) ||
	    memcmp(magic, "\177ELF", sizeof(magic)) != 0)
		return false;
	size = pidmem_source_build_id(info->source, region->start, id, sizeof(id), NULL);
	for (ssize_t i = 0; i < size; i++)
		sprintf(module->build_id + 2 * i, "%02x", id[i]);
	return true;
}

bool info_module_next(const struct info *info, size_t *index, struct info_module *module)
{
	const struct pidmem_region *region;

	while ((region = pidmem_maps_get(info->maps, (*index)++))) {
		*module = (struct info_module){ .region = region };
		if (may_be_module(region) && read_build_id(info, region, module))
			return true;
	}
	return false;
}

static void count_kinds(struct info *info)
{
	const struct pidmem_region *region;

	saved_of(info->target.file);
	for (size_t i = 0; (region = pidmem_maps_get(info->maps, i)); i++)
		kinds_add(&info->kinds, region, info->kinds.saved ? saved_size(region) : 0);
}

static int look_at_process(const struct invocation *invocation, struct info *info)
{
	struct pidmem_error error;
	ssize_t size;

	info->kinds.resident = true;
	if (pidmem_maps_read(info->target.process, PIDMEM_MAPS_RESIDENCE, &error, &info->own) < 0)
		return target_fail(invocation, &info->target, &error);
	info->maps = info->own;
	info->command = calloc(1, INFO_COMMAND + 1);
	size = info->command ? pidmem_process_command(info->target.process, info->command, INFO_COMMAND, NULL) : 0;
	while (size > 0 && !info->command[size - 1])
		size--;
	for (ssize_t i = 0; i < size; i++)
		if (!info->command[i])
			info->command[i] = ' ';
	return 0;
}

/* What is in it and what is not, without reading it all. */
static int account_file(const struct invocation *invocation, struct info *info)
{
	struct pidmem_walk *walk;
	struct pidmem_span span;
	struct pidmem_error error;
	int result;

	if (pidmem_account_new(&error, &info->account) < 0 ||
	    pidmem_walk_open(info->source, 0, UINT64_MAX, PIDMEM_WALK_STATES, &error, &walk) < 0)
		return target_fail(invocation, &info->target, &error);
	while ((result = pidmem_walk_next(walk, &error, &span)) == 1 &&
	       (result = pidmem_account_add(info->account, &span, &error)) >= 0)
		;
	pidmem_walk_close(walk);
	return result < 0 ? target_fail(invocation, &info->target, &error) : 0;
}

static int look_at_file(const struct invocation *invocation, struct info *info)
{
	info->file = (struct pidmem_file)PIDMEM_INIT(info->file);
	pidmem_file_describe(info->source, NULL, &info->file);
	info->maps = pidmem_source_maps(info->source);
	info->kinds.saved = true;
	info->kinds.resident = info->file.has_usage;
	if (info->file.has_process)
		info->command = strdup(info->file.arguments);
	for (size_t length = info->command ? strlen(info->command) : 0; length && info->command[length - 1] == ' ';)
		info->command[--length] = '\0'; /* for the NUL behind the last argument */
	return account_file(invocation, info);
}

static int look(const struct invocation *invocation, struct info *info)
{
	struct pidmem_freeze_options how = PIDMEM_INIT(how);
	struct pidmem_error error;
	int failed;

	failed = moment_open(invocation, 1, &info->moment);
	if (!failed)
		failed = moment_hold(&info->moment, PIDMEM_LIVE, &how);
	if (failed)
		return failed;
	info->target = moment_target(&info->moment, 0);
	info->source = moment_source(&info->moment, 0);
	failed = info->target.file ? look_at_file(invocation, info) : look_at_process(invocation, info);
	if (failed)
		return failed;
	if (pidmem_source_threads(info->source, &error, &info->threads) < 0)
		return target_fail(invocation, &info->target, &error);
	count_kinds(info);
	return 0;
}

static int run_info(const struct invocation *invocation)
{
	struct info info = { .source = NULL };
	int status = look(invocation, &info);

	if (!status) {
		if (invocation->json)
			info_json(invocation, &info);
		else
			info_text(&info);
		if (info.account) {
			output_flush();
			status = account_status(info.account, &info.target);
		}
	}
	pidmem_account_free(info.account);
	pidmem_threads_free(info.threads);
	pidmem_maps_free(info.own);
	free(info.command);
	moment_close(&info.moment);
	return status;
}

const struct command command_info = {
	.name = "info",
	.operands = "TARGET",
	.least = 1,
	.most = 1,
	.summary = "tell what a process or a file is, and what it lacks",
	.help = "Of a process: its command line, its threads with their states, its regions by kind, and the programs "
		"and libraries that are mapped, with their build-ids. Of a core file or a raw dump the same as far as "
		"it tells, and who wrote it, its notes, what of the memory it holds, what it lacks and why, and what a "
		"debugger will miss.\n"
		"JSON: target, name, kind (process, core, dump), command_line, consistency, engine, fallback, "
		"pause_us, "
		"stops_us, threads, unstopped, shared, thread_list (tid, name, state), kinds (kind, count, size, rss, "
		"swap, saved), modules (start, path, build_id); of a file also pid, file (writer, compression, bits, "
		"machine, signal, segments, size, truncated, complete), notes (owner, type, name, offset, size), "
		"remarks, account, holes. What is not known is null.\n"
		"Exit status: 0 done, 2 failure, 3 a part of the file is missing, or its writer could not read "
		"something.",
	.common = COMMON_JSON | COMMON_PROC | COMMON_FILES,
	.run = run_info,
};
