/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of regions: what the text leaves open, and NAME+OFFSET addresses. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "process/kernel.h"
#include "process/maps.h"
#include "process/process.h"

/* Is `path`, in the target's file system, the very file of the region? */
static bool path_is_file_of(struct pidmem_process *process, const struct pidmem_region *region, const char *path)
{
	char below_root[4096 + 8];
	struct stat status;

	if ((size_t)snprintf(below_root, sizeof below_root, "root/%s", path) >= sizeof below_root)
		return false;
	return fstatat(process->memory_dir, below_root, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       status.st_ino == region->inode;
}

/* " (deleted)" may be the kernel's mark, or the end of the name of a file that is there. */
static void settle_deleted(struct pidmem_maps *maps, struct pidmem_process *process, struct pidmem_region *region)
{
	char whole[4096 + 16];

	if (!region_has_named_file(region) ||
	    (size_t)snprintf(whole, sizeof whole, "%s (deleted)", region->path) >= sizeof whole)
		return;
	if (path_is_file_of(process, region, whole) && maps_set_path(maps, region, whole, strlen(whole)) == 0)
		region->deleted = false;
}

/* A newline may be the kernel's escape, or a backslash and three digits in the name: PROCMAP_QUERY does not escape. */
static void settle_newline(struct pidmem_maps *maps, struct pidmem_process *process, struct pidmem_region *region)
{
	char path[4096] = "";
	struct procmap_query question = { .query_addr = region->start,
					  .vma_name_addr = (uintptr_t)path,
					  .vma_name_size = sizeof path };

	if (process_query(process, &question) != 1 || question.vma_start != region->start || *path != '/')
		return;
	size_t length = strlen(path), mark = strlen(" (deleted)");
	if (region->deleted && length > mark)
		length -= mark;
	maps_set_path(maps, region, path, length);
}

void maps_settle_names(struct pidmem_maps *maps, struct pidmem_process *process)
{
	struct pidmem_region raw = { 0 }, settled = { 0 }; /* the last answer: neighbours often map one file */

	for (size_t i = 0; i < maps->count; i++) {
		struct pidmem_region *region = &maps->regions[i];
		bool newline = memchr(region->path, '\n', region->path_size);
		if (!region->deleted && !newline)
			continue;
		if (region->path != raw.path || region->inode != raw.inode || region->deleted != raw.deleted) {
			raw = *region;
			if (newline)
				settle_newline(maps, process, region);
			if (region->deleted)
				settle_deleted(maps, process, region);
			settled = *region;
		}
		region->path = settled.path;
		region->path_size = settled.path_size;
		region->deleted = settled.deleted;
	}
}

static const char *base_name(const struct pidmem_region *region)
{
	const char *slash = region->path[0] == '/' ? strrchr(region->path, '/') : NULL;

	return slash ? slash + 1 : region->path;
}

/* The lowest region that bears a name: a path, or the base name of one. */
static const struct pidmem_region *find_name(const struct pidmem_maps *maps, const char *name, size_t size)
{
	for (size_t i = 0; i < maps->count && size; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		const char *base = base_name(region);
		if ((region->path_size == size && !memcmp(region->path, name, size)) ||
		    (strlen(base) == size && !memcmp(base, name, size)))
			return region;
	}
	return NULL;
}

/* Hex digits with or without 0x, and nothing else: 1, 0 if it is something else, -ERANGE above 2^64. */
static int parse_hex(const char *text, uint64_t *value)
{
	char *end;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	if (!*text || strspn(text, "0123456789abcdefABCDEF") != strlen(text))
		return 0;
	errno = 0;
	*value = strtoull(text, &end, 16);
	return errno == ERANGE ? -ERANGE : 1;
}

int pidmem_maps_resolve(const struct pidmem_maps *maps, const char *text, struct pidmem_error *error, uint64_t *address)
{
	const char *plus = strrchr(text, '+');
	uint64_t value, offset = 0;
	int result = parse_hex(text, &value);

	if (result > 0) {
		*address = value;
		return 0;
	}
	if (result < 0)
		return fail(error, PIDMEM_USAGE, ERANGE, "address %s is above 2^64", text);
	const struct pidmem_region *region = find_name(maps, text, strlen(text));
	if (!region && plus) {
		result = parse_hex(plus + 1, &offset);
		if (result <= 0)
			return with_hint(
				error, fail(error, PIDMEM_USAGE, EINVAL, "\"%s\" is not an offset", plus + 1),
				"an address is hex, as 7f31c8a01f20 or 0x7f31c8a01f20, or NAME+OFFSET, as [heap]+0x10");
		region = find_name(maps, text, (size_t)(plus - text));
	}
	if (!region)
		return with_hint(
			error,
			fail(error, PIDMEM_NO_MATCH, ENOENT, "\"%s\" is neither an address nor the name of a region",
			     text),
			"an address is hex, as 7f31c8a01f20 or 0x7f31c8a01f20, or NAME+OFFSET, as [heap]+0x10");
	if (region->start > UINT64_MAX - offset)
		return fail(error, PIDMEM_USAGE, ERANGE, "address %s is above 2^64", text);
	*address = region->start + offset;
	return 0;
}

int pidmem_maps_describe(const struct pidmem_maps *maps, uint64_t address, char *text, size_t size)
{
	const struct pidmem_region *region = pidmem_maps_find(maps, address);

	if (size)
		*text = 0;
	if (!region || !region->path_size)
		return 0;
	/* The base name, if it leads back here; else the path. */
	const char *name = base_name(region);
	const struct pidmem_region *first = find_name(maps, name, strlen(name));
	if (!first || strcmp(first->path, region->path) != 0) {
		name = region->path;
		first = find_name(maps, name, region->path_size);
	}
	return snprintf(text, size, "%s+0x%llx", name, (unsigned long long)(address - first->start));
}
