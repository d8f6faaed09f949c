/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pmap.h"
#include "selection.h"
#include "ui/output.h"
#include "ui/region.h"

#include <ctype.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>

#define LONGEST_COMMAND 131072 /* what procps reads of a command line */

/* Byte by byte, whatever the locale's encoding is: in UTF-8, what is not ASCII is `?` as well. */
static void put_name(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		output_char(isprint((unsigned char)text[i]) ? text[i] : '?');
}

/* How many bytes the character has that begins so, or 0: all that procps looks at. */
static size_t utf8_size(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* In UTF-8, characters but for control characters, until something cannot be one; then, and else, ASCII alone. */
static void put_command(const char *text, size_t size)
{
	bool utf8 = !strcasecmp(nl_langinfo(CODESET), "UTF-8");

	while (size) {
		unsigned char first = (unsigned char)*text;
		bool control = first < ' ' || first == 0x7f;
		size_t length = utf8 ? utf8_size(first) : 1;

		if (!length || length > size) {
			utf8 = false;
			continue;
		}
		if (control || (!utf8 && first >= 0x80))
			output_char(control && !utf8 ? '.' : '?');
		else
			output_bytes(text, length);
		text += length;
		size -= length;
	}
}

/* "PID:   COMMAND LINE", or the name in brackets where there is no command line. */
static void print_command(struct pidmem_process *process)
{
	static char command[LONGEST_COMMAND];
	ssize_t size = pidmem_process_command(process, command, sizeof(command), NULL);

	output_format("%d:   ", (int)pidmem_process_pid(process));
	while (size > 0 && !command[size - 1])
		size--;
	if (size <= 0) {
		const char *name = pidmem_process_name(process);

		output_char('[');
		put_command(name, strlen(name));
		output_text("]\n");
		return;
	}
	for (ssize_t i = 0; i < size; i++)
		if (!command[i] || command[i] == '\n')
			command[i] = ' ';
	put_command(command, (size_t)size);
	output_char('\n');
}

/* System V shared memory: "/SYSV" and the key in eight digits, in the kernel's own mount, where names do not last. */
static bool is_sysv(const struct pidmem_region *region)
{
	return region->dev_major == 0 && region->deleted && region->path_size == 13 &&
	       !strncmp(region->path, "/SYSV", 5) && strspn(region->path + 5, "0123456789abcdef") == 8;
}

static void print_mapping(const struct pidmem_region *region)
{
	const char *slash = strrchr(region->path, '/');
	const char *name = slash && slash[1] ? slash + 1 : slash;

	if (is_sysv(region)) {
		output_format("  [ shmid=0x%" PRIx64 " ]", region->inode);
	} else if (!name) {
		output_text(region->kind == PIDMEM_KIND_STACK ? "  [ stack ]" : "  [ anon ]");
	} else {
		/* A newline is escaped already in /proc/PID/smaps, which is what pmap shows. */
		for (const char *newline; (newline = strchr(name, '\n')); name = newline + 1) {
			put_name(name, (size_t)(newline - name));
			output_text("\\012");
		}
		put_name(name, strlen(name));
		if (region->deleted)
			output_text(" (deleted)");
	}
}

static void print_region(const struct pidmem_region *region, uint64_t dirty)
{
	char perms[8];

	*put_perms(perms, region) = '\0';
	if (perms[3] == 'p')
		perms[3] = '-';
	output_format("%016" PRIx64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %s- ", region->start, region->size >> 10,
		      region->usage->rss >> 10, dirty >> 10, perms);
	print_mapping(region);
	output_char('\n');
}

void pmap_print(struct pidmem_process *process, const struct pidmem_maps *maps, const struct pidmem_select *select)
{
	uint64_t size = 0, rss = 0, all_dirty = 0;
	const struct pidmem_region *region;

	setlocale(LC_CTYPE, ""); /* for isprint() and nl_langinfo() */
	print_command(process);
	output_text("Address           Kbytes     RSS   Dirty Mode  Mapping\n");
	for (size_t i = 0; (region = pidmem_maps_get(maps, i)); i++) {
		uint64_t dirty = region->usage->shared_dirty + region->usage->private_dirty;

		if (!region_selected(select, region))
			continue;
		print_region(region, dirty);
		size += region->size;
		rss += region->usage->rss;
		all_dirty += dirty;
	}
	output_text("---------------- ------- ------- ------- \n");
	output_format("total kB         %7" PRIu64 " %7" PRIu64 " %7" PRIu64 "\n", size >> 10, rss >> 10,
		      all_dirty >> 10);
}
