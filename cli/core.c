/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core.h"
#include "failure.h"
#include "pausing.h"
#include "place.h"
#include "room.h"
#include "signals.h"
#include "writing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file of this name is written ./- */
static bool is_standard_output(const char *place)
{
	return !strcmp(place, "-");
}

static int write_core(struct saving *saving, struct save *save, struct pidmem_error *error)
{
	const struct core_wish *wish = saving->wish;
	struct pidmem_core_options options = PIDMEM_INIT(options);
	struct pidmem_core_report report = PIDMEM_INIT(report);
	int result;

	options.path = is_standard_output(save->place) ? NULL : save->place;
	options.fd = STDOUT_FILENO;
	options.force = wish->force;
	options.all = wish->all;
	options.filter = wish->filter;
	options.progress = moment_progress;
	options.user = &saving->progress;
	options.release = true;
	options.zstd = writing.zstd;
	options.max_size = writing.max_size;
	options.max_time_us = writing_time_left();
	options.partial = writing.partial;
	options.rate = writing.rate;
	result = pidmem_core(save->source, &options, save->account, error, &report);
	if (result < 0)
		return result;
	save->apparent = report.apparent;
	save->on_disk = report.on_disk;
	save->content = report.content;
	return 0;
}

static void remove_core(const struct save *save)
{
	if (!is_standard_output(save->place))
		place_remove(save->place);
}

static void print_zombies(const struct saving *saving, size_t index)
{
	moment_json_zombies(&saving->moment, index);
}

static char *name_place(const struct core_wish *wish, pid_t pid)
{
	AUTO_TEXT numbered = place_numbered(wish->output, pid);

	if (!numbered)
		return NULL;
	return writing_name(wish->numbered ? numbered : wish->output);
}

static int check_place(const struct core_wish *wish, const char *place)
{
	if (!place)
		return fail("out of memory");
	return is_standard_output(place) ? 0 : place_check(place, wish->force);
}

/* For the processes that were named; of their descendants nobody knows yet. */
static int check_places(const struct core_wish *wish, const struct moment *moment)
{
	int failed = 0;

	for (size_t i = 0; !failed && i < moment->named_count; i++) {
		char *place = name_place(wish, pidmem_process_pid(moment->named[i]));

		failed = check_place(wish, place);
		free(place);
	}
	return failed;
}

/* Before the first one is written, so that none is if one of them is in the way. */
static int name_places(const struct core_wish *wish, struct saving *saving)
{
	int failed = 0;

	for (size_t i = 0; !failed && i < saving->count; i++) {
		struct save *save = &saving->saves[i];

		save->place = name_place(wish, save->target.pid);
		failed = check_place(wish, save->place);
	}
	return failed;
}

static int hold_and_write(const struct core_wish *wish, struct saving *saving)
{
	AUTO_TEXT directory = is_standard_output(wish->output) ? NULL : place_directory(wish->output);
	struct pidmem_freeze_options how = PIDMEM_INIT(how);
	int failed;

	how.descendants = wish->tree;
	how.core = !wish->all;
	how.filter = wish->filter;
	pausing_apply(&how);
	failed = room_check(&saving->moment, directory, !wish->all && !wish->filter, &how);
	if (!failed)
		failed = saving_hold(saving, &how);
	if (!failed)
		failed = name_places(wish, saving);
	return failed ? failed : saving_write(saving);
}

/* A file is converted: nothing is stopped, and it is not overwritten by what comes of it. */
static int check_file(const struct core_wish *wish, const struct target *file)
{
	if (wish->numbered)
		return target_refuse(file, "a core without -o", "name the file to write: -o FILE");
	if (wish->tree)
		return target_refuse(file, "--tree", "name the processes themselves");
	if (wish->all || wish->filter)
		return target_refuse(file, wish->all ? "--all" : "--filter",
				     "what is in the file is taken; -R chooses regions");
	AUTO_TEXT place = name_place(wish, 0);
	return check_place(wish, place);
}

int core_save(struct saving *saving, const struct invocation *invocation, const struct core_wish *wish)
{
	static const struct saver saver = { "elf", .write = write_core, .remove = remove_core, .json = print_zombies };
	int held = -1, failed;

	saving->wish = wish;
	failed = saving_begin(saving, invocation, &saver);
	if (!failed && moment_file(&saving->moment))
		failed = check_file(wish, moment_file(&saving->moment));
	if (!failed)
		failed = check_places(wish, &saving->moment);
	if (failed)
		return failed;
	signals_catch();
	if (!wish->numbered)
		failed = place_wait(wish->output, &held);
	if (!failed)
		failed = hold_and_write(wish, saving);
	if (held >= 0)
		close(held);
	return failed;
}
