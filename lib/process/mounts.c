/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/mounts.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "process/process.h"

/* The kernel escapes space, tab, newline and backslash in octal digits: mangle() in fs/seq_file.c. */
static void unescape(char *text)
{
	char *out = text;

	for (const char *at = text; *at; at++) {
		bool escape = at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7' &&
			      at[3] >= '0' && at[3] <= '7';
		*out++ = escape ? (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0')) : *at;
		at += escape ? 3 : 0;
	}
	*out = 0;
}

/* One line: 36 35 98:0 /root /point options [optional fields] - type source options */
static bool parse(const char *line, size_t size, struct mount *mount)
{
	AUTO_FREE char *copy = strndup(line, size);
	const char *rest = copy ? strstr(copy, " - ") : NULL;

	if (!rest || sscanf(copy, "%u %*u %u:%u %4095s %4095s", &mount->id, &mount->dev_major, &mount->dev_minor,
			    mount->root, mount->point) != 5)
		return false;
	mount->options[0] = 0;
	if (sscanf(rest, " - %63s %*s %511s", mount->type, mount->options) < 1)
		return false;
	unescape(mount->root);
	unescape(mount->point);
	return true;
}

bool mount_next(const char **at, struct mount *mount)
{
	while (**at) {
		const char *line = *at;
		size_t size = strcspn(line, "\n");
		*at += size + (line[size] == '\n');
		if (parse(line, size, mount))
			return true;
	}
	return false;
}

bool mount_has_option(const struct mount *mount, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = mount->options; *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == size && !memcmp(at, word, size))
			return true;
	return false;
}

static bool is_in_memory(const char *type)
{
	static const char *const types[] = { "tmpfs",    "devtmpfs", "ramfs",    "rootfs",     "hugetlbfs", "proc",
					     "sysfs",    "debugfs",  "tracefs",  "securityfs", "cgroup",    "cgroup2",
					     "configfs", "pstore",   "efivarfs", "mqueue",     "devpts",    "bpf" };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

/* As far as it goes: what is not listed counts as not harmless. */
static void list_devices(struct mount_devices *devices, const struct pidmem_process *process)
{
	AUTO_BUFFER text = { 0 };
	AUTO_FREE struct mount *mount = malloc(sizeof *mount);

	devices->listed = true;
	if (!mount || buffer_read_file(&text, process->memory_dir, "mountinfo") < 0 || !text.bytes)
		return;
	for (const char *at = text.bytes; mount_next(&at, mount);) {
		struct mount_device *items =
			array_grow(devices->items, devices->count, &devices->capacity, sizeof *items);
		if (!items)
			return;
		devices->items = items;
		items[devices->count++] =
			(struct mount_device){ mount->dev_major, mount->dev_minor, is_in_memory(mount->type) };
	}
}

bool mounts_fault_is_harmless(struct mount_devices *devices, const struct pidmem_process *process, uint32_t dev_major,
			      uint32_t dev_minor)
{
	if (!devices->listed)
		list_devices(devices, process);
	for (size_t i = 0; i < devices->count; i++)
		if (devices->items[i].dev_major == dev_major && devices->items[i].dev_minor == dev_minor)
			return !devices->items[i].in_memory;
	return false;
}
