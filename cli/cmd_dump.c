/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dump TARGET - everything that has content, region after region, in a file with an index. */
#include "command.h"
#include "confine.h"
#include "failure.h"
#include "pausing.h"
#include "place.h"
#include "room.h"
#include "saving.h"
#include "signals.h"
#include "ui/json.h"
#include "writing.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	const char *output, *split;
	bool force;
	/* What came of it. */
	bool was_there; /* the directory of --split */
	bool indexed;
} chosen;

static int check_options(const struct invocation *invocation)
{
	int failed;

	if (chosen.output && chosen.split) {
		fail("dump: -o names one file, --split a directory of files");
		hint("use one of the two");
		return EXIT_FAILED;
	}
	if (chosen.split && chosen.force) {
		fail("dump: --force does not go with --split: files of an older dump would stay among the new ones");
		hint("remove the directory first, or name another one");
		return EXIT_FAILED;
	}
	if (chosen.output && !strcmp(chosen.output, "-")) {
		fail("a dump is two files, the bytes and their index: it cannot go to standard output");
		hint("name a file: -o FILE; a file of the name `-` is written ./-");
		return EXIT_FAILED;
	}
	if ((chosen.output && !chosen.output[0]) || (chosen.split && !chosen.split[0])) {
		fail("dump: the name of the output is empty");
		hint("without -o the file is PID.mem");
		return EXIT_FAILED;
	}
	failed = pausing_check(invocation);
	return failed ? failed : writing_check(invocation, false);
}

static bool is_full(const char *path)
{
	DIR *stream = opendir(path);
	int entries = 0;

	while (stream && readdir(stream) && entries < 3)
		entries++;
	if (stream)
		closedir(stream);
	return stream ? entries > 2 : errno == ENOTDIR;
}

static int check_place(const char *place)
{
	AUTO_TEXT directory = place_directory(place);
	char index[PATH_MAX];
	int failed;

	if (chosen.split && is_full(place)) {
		fail("%s exists already: kept", place);
		hint("name a directory that is empty, or that is not there yet");
		return EXIT_FAILED;
	}
	if (chosen.split || !directory) /* a stream has no index */
		return 0;
	failed = place_check(place, chosen.force);
	if (!failed && (size_t)snprintf(index, sizeof(index), "%s.index", place) < sizeof(index))
		failed = place_check(index, chosen.force);
	return failed;
}

/* A file for one region, or the index: what the library makes there, and nothing else. */
static bool is_of_a_split(const char *name)
{
	return !strcmp(name, "index") || (strspn(name, "0123456789abcdef") == 16 &&
					  (!strcmp(name + 16, ".mem") || !strcmp(name + 16, ".mem.zst")));
}

static void remove_split(const char *place)
{
	DIR *stream = opendir(place);

	for (struct dirent *entry; stream && (entry = readdir(stream));)
		if (is_of_a_split(entry->d_name))
			unlinkat(dirfd(stream), entry->d_name, 0);
	if (stream)
		closedir(stream);
	if (!chosen.was_there)
		rmdir(place);
}

/* A dump without its account is worth little. */
static void remove_dump(const struct save *save)
{
	char index[PATH_MAX];

	if (!chosen.indexed)
		return;
	if (chosen.split) {
		remove_split(save->place);
		return;
	}
	snprintf(index, sizeof(index), "%s.index", save->place);
	unlink(save->place);
	unlink(index);
}

static int write_dump(struct saving *saving, struct save *save, struct pidmem_error *error)
{
	struct pidmem_dump_options options = PIDMEM_INIT(options);
	struct pidmem_dump_report report = PIDMEM_INIT(report);
	int result;

	options.path = chosen.split ? NULL : save->place;
	options.split = chosen.split;
	options.force = chosen.force;
	options.progress = moment_progress;
	options.user = &saving->progress;
	options.release = true;
	options.zstd = writing.zstd;
	options.max_size = writing.max_size;
	options.max_time_us = writing_time_left();
	options.partial = writing.partial;
	options.rate = writing.rate;
	result = pidmem_dump(save->source, &options, save->account, error, &report);
	if (result < 0)
		return result;
	save->apparent = report.apparent;
	save->on_disk = report.on_disk;
	save->content = report.content;
	chosen.indexed = report.indexed;
	return 0;
}

static void print_indexed(const struct saving *saving, size_t index)
{
	(void)saving;
	(void)index;
	json_bool("indexed", chosen.indexed);
}

static int dump(struct saving *saving, const char *place)
{
	AUTO_TEXT directory = chosen.was_there ? strdup(place) : place_directory(place);
	struct pidmem_freeze_options how = PIDMEM_INIT(how);
	int held = -1, failed;

	failed = check_place(place);
	if (failed)
		return failed;
	signals_catch();
	if (!chosen.split)
		failed = place_wait(place, &held);
	pausing_apply(&how);
	if (!failed)
		failed = room_check(&saving->moment, directory, false, &how);
	if (!failed)
		failed = saving_hold(saving, &how);
	if (!failed) {
		saving->saves[0].place = strdup(place);
		failed = saving->saves[0].place ? saving_write(saving) : fail("out of memory");
	}
	if (held >= 0)
		close(held);
	return failed;
}

static int run_dump(const struct invocation *invocation)
{
	static const struct saver raw = { "raw", .write = write_dump, .remove = remove_dump, .json = print_indexed };
	static const struct saver split = { "split", .write = write_dump, .remove = remove_dump,
					    .json = print_indexed };
	AUTO_SAVING saving = { NULL };
	AUTO_TEXT place = NULL;
	char standard[32];
	int failed;

	failed = check_options(invocation);
	confine_output(chosen.split ? chosen.split : chosen.output);
	if (!failed)
		failed = saving_begin(&saving, invocation, chosen.split ? &split : &raw);
	if (!failed && moment_file(&saving.moment) && !chosen.output && !chosen.split)
		failed = target_refuse(moment_file(&saving.moment), "a dump without -o",
				       "name the file to write: -o FILE");
	if (failed)
		return failed;
	if (!moment_file(&saving.moment))
		snprintf(standard, sizeof(standard), "%d.mem", (int)pidmem_process_pid(saving.moment.named[0]));
	place = chosen.split ? strdup(chosen.split) : writing_name(chosen.output ? chosen.output : standard);
	if (!place)
		return fail("out of memory");
	chosen.was_there = chosen.split && access(chosen.split, F_OK) == 0;
	failed = dump(&saving, place);
	if (failed)
		return failed;
	failed = saving_tell(&saving);
	if (!chosen.indexed && failed != EXIT_FAILED)
		warn("\"%s\" is a stream: there is no index", place);
	return failed;
}

static const struct command_option options[] = {
	{ 'o', "output", "FILE", "the file to write (default PID.mem); its index is FILE.index",
	  .text = &chosen.output },
	{ 0, "split", "DIR", "write a file per region into DIR instead, and one index", .text = &chosen.split },
	PAUSING_OPTIONS,
	WRITING_OPTIONS,
	{ 0, "force", NULL, "replace an output that exists; not with --split", .flag = &chosen.force },
};

const struct command command_dump = {
	.name = "dump",
	.operands = "TARGET",
	.least = 1,
	.most = 1,
	.summary = "write the memory of a process into a file, with an index",
	.help = "FILE has everything that has content, region after region in address order. FILE.index has a line of "
		"JSON for each range: where it was, where it is in FILE, and what is not in FILE, and why. Without "
		"--consistency it is a snapshot: the process stops for a moment and runs on. Where that cannot be had "
		"it stays stopped meanwhile, which is told. Outputs get mode 0600, and their name only when they are "
		"complete. If the report cannot be written, they are removed.\n"
		"JSON: target, name, output, format, consistency, engine, passes, fallback, pause_us, stops_us, "
		"threads, unstopped, untracked, shared (paused, after), account, holes, size (apparent, on_disk), "
		"elapsed_us, indexed.\n"
		"Exit status: 0 all that has content was read, 2 failure, nothing is left behind, 3 the dump is there, "
		"but something that has content could not be read.",
	.common = COMMON_ALL,
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run_dump,
};
