/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "target.h"
#include "confine.h"
#include "failure.h"
#include "selection.h"
#include "ui/json.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One for each file would be many. */
#define MOST_WARNINGS 8

/* pidmem's own PID. In another procfs it has another number, which the link "self" there tells (proc(5)). */
static int own_pid(const char *proc, pid_t *pid)
{
	char path[PATH_MAX], number[32];
	ssize_t length;

	if (!proc) {
		*pid = getpid();
		return 0;
	}
	if ((size_t)snprintf(path, sizeof(path), "%s/self", proc) >= sizeof(path))
		return fail("--proc \"%s\": the path is too long", proc);
	length = readlink(path, number, sizeof(number) - 1);
	if (length <= 0)
		return fail("--proc \"%s\" does not know pidmem itself: %s", proc, strerror(errno));
	number[length] = '\0';
	*pid = (pid_t)strtol(number, NULL, 10);
	return 0;
}

static int no_such_target(const char *text)
{
	if (access(text, F_OK) == 0) {
		fail("\"%s\" is a file: only a process can be looked at here", text);
		hint("give the PID of a live process");
	} else if (text[0] == '-' && text[1] && strspn(text + 1, "0123456789") == strlen(text + 1)) {
		fail("\"%s\" is not a process: a PID is a positive number", text);
		hint("a file of this name is written ./%s", text);
	} else {
		fail("\"%s\" is neither a PID nor a file", text);
		hint("a TARGET is a PID (digits only), `self`, or a path");
	}
	return EXIT_FAILED;
}

int target_parse(const struct invocation *invocation, const char *text, pid_t *pid)
{
	unsigned long long number;

	if (!text[0]) {
		fail("the TARGET is empty");
		hint("a TARGET is a PID (digits only), `self`, or a path");
		return EXIT_FAILED;
	}
	if (!strcmp(text, "self"))
		return own_pid(invocation->proc, pid);
	if (text[strspn(text, "0123456789")])
		return no_such_target(text);
	errno = 0;
	number = strtoull(text, NULL, 10);
	if (errno || number > INT_MAX) {
		fail("no process can have the PID \"%s\"", text);
		hint("PIDs go up to 4194303 (proc(5), pid_max); a file of this name is written ./%s", text);
		return EXIT_FAILED;
	}
	if (number == 0) {
		fail("PID 0 is not a process that can be read");
		hint("PIDs begin with 1; `self` is pidmem itself");
		return EXIT_FAILED;
	}
	*pid = (pid_t)number;
	return 0;
}

static int open_process(const struct invocation *invocation, const char *text, struct target *target)
{
	struct pidmem_open_options options = PIDMEM_INIT(options);
	struct pidmem_process *process;
	struct pidmem_error error;
	pid_t pid = 0;
	int failed;

	failed = target_parse(invocation, text, &pid);
	if (failed)
		return failed;
	options.proc = invocation->proc;
	if (pidmem_process_open(pid, &options, &error, &process) < 0)
		return fail_process(invocation, pid, &error);
	*target = target_of(process);
	target->borrowed = false;
	return 0;
}

struct target target_of(struct pidmem_process *process)
{
	struct target target = { .process = process, .borrowed = true, .pid = pidmem_process_pid(process) };

	snprintf(target.name, sizeof(target.name), "%s", pidmem_process_name(process));
	snprintf(target.words, sizeof(target.words), "process %d (%s)", (int)target.pid, target.name);
	return target;
}

static void name_file(struct target *target)
{
	struct pidmem_file file = PIDMEM_INIT(file);
	const char *slash = strrchr(target->path, '/'), *base = slash && slash[1] ? slash + 1 : target->path;

	pidmem_file_describe(target->file, NULL, &file);
	target->pid = file.pid;
	snprintf(target->name, sizeof(target->name), "%s", file.name ? file.name : "");
	if (target->pid && !target->name[0])
		snprintf(target->words, sizeof(target->words), "%.100s (process %d)", base, (int)target->pid);
	else if (target->pid)
		snprintf(target->words, sizeof(target->words), "%.100s (process %d, %s)", base, (int)target->pid,
			 target->name);
	else
		snprintf(target->words, sizeof(target->words), "%.200s", base);
}

/* What a core leaves out, and cannot be had either: a few of them tell what is wrong. */
static void warn_missing(const struct target *target)
{
	struct pidmem_file file = PIDMEM_INIT(file);

	pidmem_file_describe(target->file, NULL, &file);
	for (size_t i = 0; i < file.missing && i < MOST_WARNINGS; i++)
		warn("%s: %s", target->words, pidmem_file_missing(target->file, i));
	if (file.missing > MOST_WARNINGS)
		warn("%s: the same of %zu more files", target->words, file.missing - MOST_WARNINGS);
}

static int open_file(const struct invocation *invocation, const char *path, struct target *target)
{
	struct pidmem_file_options options = PIDMEM_INIT(options);
	struct pidmem_error error;

	*target = (struct target){ .path = path };
	/* The selection is looked at by the caller, who can tell which term fits nothing. */
	options.select = invocation->select;
	options.opened = confine_opened;
	options.files = invocation->files;
	if (pidmem_source_open_file(path, &options, &error, &target->file) == 0) {
		name_file(target);
		warn_missing(target);
		return 0;
	}
	if (error.code != PIDMEM_NO_MATCH)
		return fail_with(&error);
	snprintf(target->words, sizeof(target->words), "%.200s", path);
	return selection_fits_nothing(invocation, target);
}

static bool names_process(const char *text)
{
	return !strcmp(text, "self") || !text[strspn(text, "0123456789")];
}

bool target_is_path(const char *text)
{
	return !names_process(text) && access(text, F_OK) == 0;
}

int target_count(const struct invocation *invocation)
{
	int count = invocation->command->all_targets ? invocation->operand_count : 1;

	return count < invocation->operand_count ? count : invocation->operand_count;
}

int target_check_files(const struct invocation *invocation)
{
	for (int i = 0; i < target_count(invocation); i++)
		if (!names_process(invocation->operands[i]))
			return 0;
	if (!invocation->files || !invocation->operand_count)
		return 0;
	fail("--files is for core files: of a process, what is in mapped files is read from them anyway");
	hint("leave it out");
	return EXIT_FAILED;
}

int target_open(const struct invocation *invocation, const char *text, struct target *target)
{
	return target_is_path(text) ? open_file(invocation, text, target) : open_process(invocation, text, target);
}

void target_close(struct target *target)
{
	pidmem_source_close(target->file);
	if (!target->borrowed)
		pidmem_process_close(target->process);
	target->file = NULL;
	target->process = NULL;
}

void target_json(const struct invocation *invocation, const struct target *target)
{
	json_begin(invocation, target->file ? 0 : target->pid);
	if (target->file) {
		json_bytes("target", target->path, strlen(target->path));
		if (target->pid)
			json_number("pid", (uint64_t)target->pid);
		else
			json_null("pid");
	}
	json_bytes("name", target->name, strlen(target->name));
}

int target_fail(const struct invocation *invocation, const struct target *target, const struct pidmem_error *error)
{
	return target->file ? fail_with(error) : fail_process(invocation, target->pid, error);
}

int target_refuse(const struct target *target, const char *option, const char *instead)
{
	fail("%s is a file: %s is for processes", target->path, option);
	hint("%s", instead);
	return EXIT_FAILED;
}

void target_warn(const struct target *target)
{
	struct pidmem_file file = PIDMEM_INIT(file);

	if (!target->file || pidmem_file_describe(target->file, NULL, &file) < 0 || !file.truncated)
		return;
	warn("%s: %s", target->words, pidmem_file_remark(target->file, 0));
}
