/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One line of /proc/PID/maps, and what kind of region it tells of. Format: proc_pid_maps(5). */
#include <string.h>

#include "base/text.h"
#include "process/maps.h"

/* A cursor over one line. */
struct text {
	const char *at, *end;
};

static bool skip(struct text *text, char wanted)
{
	if (text->at == text->end || *text->at != wanted)
		return false;
	text->at++;
	return true;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Digits; false without any and on overflow. */
static bool decimal(struct text *text, uint64_t *value)
{
	const char *first = text->at;
	uint64_t sum = 0;

	for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++)
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(*text->at - '0'), &sum))
			return false;
	*value = sum;
	return text->at != first;
}

static bool hex(struct text *text, uint64_t *value)
{
	const char *first = text->at;
	uint64_t sum = 0;

	for (int d; text->at < text->end && (d = digit(*text->at)) >= 0; text->at++) {
		if (sum >> 60)
			return false;
		sum = sum << 4 | (unsigned)d;
	}
	*value = sum;
	return text->at != first;
}

/* A number of 32 bits. */
static bool hex32(struct text *text, uint32_t *value)
{
	uint64_t wide;

	if (!hex(text, &wide) || wide > UINT32_MAX)
		return false;
	*value = (uint32_t)wide;
	return true;
}

static bool permissions(struct text *text, uint32_t *perms)
{
	if (text->end - text->at < 4)
		return false;
	for (size_t i = 0; i < 4; i++, text->at++) {
		char c = *text->at;
		if (c == "rwxs"[i])
			*perms |= 1U << i;
		else if (c != (i == 3 ? 'p' : '-'))
			return false;
	}
	return true;
}

/* START-END PERMS OFFSET MAJOR:MINOR INODE; the path is what remains. End may be 0: 2^64 cut to 64 bits. */
static bool fields(struct text *text, struct pidmem_region *region)
{
	uint64_t end;

	if (!hex(text, &region->start) || !skip(text, '-'))
		return false;
	if (text->end - text->at > 17 && !memcmp(text->at, "10000000000000000 ", 18)) {
		text->at += 17;
		end = 0;
	} else if (!hex(text, &end)) {
		return false;
	}
	region->size = end - region->start;
	if (region->size == 0 || (end != 0 && end < region->start))
		return false;
	return skip(text, ' ') && permissions(text, &region->perms) && skip(text, ' ') && hex(text, &region->offset) &&
	       skip(text, ' ') && hex32(text, &region->dev_major) && skip(text, ':') &&
	       hex32(text, &region->dev_minor) && skip(text, ' ') && decimal(text, &region->inode) &&
	       (text->at == text->end || *text->at == ' ');
}

static bool is(const struct pidmem_region *region, const char *path)
{
	return !strcmp(region->path, path);
}

bool region_has_named_file(const struct pidmem_region *region)
{
	return region->path[0] == '/' && region->inode != 0 && !is(region, "/dev/zero") &&
	       !begins(region->path, "/memfd:") && !begins(region->path, "/SYSV") && !is(region, "/anon_hugepage") &&
	       !is(region, "/secretmem");
}

bool region_is_vdso(const struct pidmem_region *region)
{
	return region->kind == PIDMEM_KIND_VDSO && begins(region->path, "[vdso");
}

bool region_has_userfaultfd(const struct pidmem_region *region)
{
	const uint32_t modes = PIDMEM_VM_UFFD_MISSING | PIDMEM_VM_UFFD_WP | PIDMEM_VM_UFFD_MINOR;

	return region->usage && region->usage->flags & modes;
}

enum pidmem_kind region_kind(const struct pidmem_region *region)
{
	if (begins(region->path, "[vdso") || begins(region->path, "[vvar") || begins(region->path, "[vsyscall") ||
	    is(region, "[vectors]") || is(region, "[sigpage]"))
		return PIDMEM_KIND_VDSO;
	if (region->perms & PIDMEM_PERM_SHARED)
		return PIDMEM_KIND_SHARED;
	if (is(region, "[heap]"))
		return PIDMEM_KIND_HEAP;
	if (begins(region->path, "[stack"))
		return PIDMEM_KIND_STACK;
	/* A private mapping of /dev/zero is anonymous memory (drivers/char/mem.c), so are anonymous huge pages. */
	if (region->inode == 0 || is(region, "/dev/zero") || is(region, "/anon_hugepage"))
		return PIDMEM_KIND_ANON;
	return PIDMEM_KIND_FILE;
}

bool region_parse(struct pidmem_region *region, const char *line, size_t size, const char **path)
{
	struct text text = { line, line + size };

	*region = (struct pidmem_region){ 0 };
	if (memchr(line, 0, size) || !fields(&text, region))
		return false;
	while (skip(&text, ' '))
		;
	*path = text.at;
	return true;
}
