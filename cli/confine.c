/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine.h"
#include "place.h"
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of each kind; no command has more. */
#define MOST 4

static struct {
	char *const *targets; /* those that are not open yet */
	int target_count;
	bool files; /* those that were mapped */
	bool parts; /* of a split dump, to the end */
	const char *inputs[MOST], *outputs[MOST];
	int input_count, output_count;
} left;

void confine_expect(const struct invocation *invocation)
{
	int count = target_count(invocation);

	for (int i = 0; i < count; i++)
		if (!target_is_path(invocation->operands[i]))
			return;
	left.targets = invocation->operands;
	left.target_count = count;
	left.files = invocation->files;
}

void confine_input(const char *path)
{
	if (path && left.input_count < MOST)
		left.inputs[left.input_count++] = path;
}

void confine_output(const char *path)
{
	if (path && strcmp(path, "-") != 0 && left.output_count < MOST)
		left.outputs[left.output_count++] = path;
}

/* -------------------------------------------------------------------------------------- capabilities --- */

#define READING (1ULL << CAP_DAC_READ_SEARCH)
#define WRITING (READING | 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER)

struct capabilities {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct words[2];
};

/* Of those that are in force, or were set aside, these alone are left: in force, or set aside. */
static bool keep_capabilities(uint64_t kept, bool aside)
{
	struct capabilities now = { .head = { _LINUX_CAPABILITY_VERSION_3, 0 } };

	if (syscall(SYS_capget, &now.head, now.words) < 0)
		return false;
	for (int i = 0; i < 2; i++) {
		uint32_t had = aside ? now.words[i].effective : now.words[i].permitted;

		now.words[i].permitted = had & (uint32_t)(kept >> 32 * i);
		now.words[i].effective = aside ? 0 : now.words[i].permitted;
		now.words[i].inheritable = 0;
	}
	return syscall(SYS_capset, &now.head, now.words) == 0;
}

static bool may(const char *path, int how)
{
	return faccessat(AT_FDCWD, path, how, AT_EACCESS) == 0 || (errno != EACCES && errno != EPERM);
}

static char *within(const char *path, const char *suffix)
{
	char *name;

	return asprintf(&name, "%s%s", path, suffix) < 0 ? NULL : name;
}

/* A dump has its index, and one in a directory a file for each region, which are alike. */
static bool may_read(const char *path)
{
	AUTO_TEXT beside = within(path, ".index");
	AUTO_TEXT inside = within(path, "/index");

	return beside && inside && may(path, R_OK) && may(beside, R_OK) && may(inside, R_OK);
}

/* The place of an output: what is a device or pipe itself, or a directory; else the directory that it is made in. */
static char *place_of(const char *output)
{
	char *directory = place_directory(output);
	struct stat status;

	if (!directory || (stat(output, &status) == 0 && S_ISDIR(status.st_mode))) {
		free(directory);
		return strdup(output);
	}
	return directory;
}

/* In a directory that all may write to, files of others are replaced by their owner and that of the directory alone. */
static bool may_write(const char *output)
{
	AUTO_TEXT place = place_of(output);
	struct stat directory, file;

	if (!place || !may(place, W_OK) || stat(place, &directory) < 0)
		return false;
	if (!S_ISDIR(directory.st_mode))
		return true;
	return may(place, X_OK) && (!(directory.st_mode & S_ISVTX) || directory.st_uid == geteuid() ||
				    lstat(output, &file) < 0 || file.st_uid == geteuid());
}

/* What has to be opened yet, and cannot be without. */
static uint64_t needed_capabilities(const char *opened)
{
	struct stat status;
	bool reads, writes = true;

	if (stat(opened, &status) == 0 && S_ISDIR(status.st_mode))
		left.parts |= !may_read(opened);
	reads = !left.files && !left.parts;
	for (int i = 0; i < left.target_count; i++)
		reads = reads && may_read(left.targets[i]);
	for (int i = 0; i < left.input_count; i++)
		reads = reads && may(left.inputs[i], R_OK);
	for (int i = 0; i < left.output_count; i++)
		writes = writes && may_write(left.outputs[i]);
	return (reads ? 0 : READING) | (writes ? 0 : WRITING);
}

/* ----------------------------------------------------------------------------------------------- all --- */

static void limit_writes(void)
{
	char *places[MOST];
	int count = left.output_count;

	for (int i = 0; i < count; i++)
		places[i] = place_of(left.outputs[i]);
	confine_writes((const char *const *)places, count);
	for (int i = 0; i < count; i++)
		free(places[i]);
}

/*
 * Nothing here can fail in a way that matters to the result: a kernel, or a sandbox around pidmem, that knows one of
 * these steps not leaves the others.
 */
int confine_opened(void *unused)
{
	static bool begun;

	(void)unused;
	if (!left.targets)
		return 0;
	const char *opened = left.targets[0];
	left.targets++;
	left.target_count--;
	if (keep_capabilities(WRITING, true)) /* so that it can be asked what is possible without */
		keep_capabilities(needed_capabilities(opened), false);
	if (!begun && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
		limit_writes();
		confine_calls(left.output_count > 0);
	}
	begun = true;
	return 0;
}
