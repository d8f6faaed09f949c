/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of regions, from inside. */
#ifndef PROCESS_MAPS_H
#define PROCESS_MAPS_H

#include "base/cleanup.h"
#include "pidmem.h"

struct path_block;

struct pidmem_maps {
	struct pidmem_region *regions;
	size_t count, capacity;
	struct path_block *paths;    /* the bytes of all paths; never moved */
	struct pidmem_usage *usages; /* one for each region, or NULL */
	size_t usage_capacity;
	uint64_t line;             /* of the text, while it is parsed */
	bool usage_open;           /* the text is within the smaps block of the last region */
	struct pidmem_maps *under; /* that most regions come from, and that their paths and usages belong to, or NULL */
};

DEFINE_CLEANUP(cleanup_maps, struct pidmem_maps *, pidmem_maps_free)
#define AUTO_MAPS CLEANUP(cleanup_maps) struct pidmem_maps *

struct pidmem_maps *maps_new(void);

/* Take in one line of maps or smaps, without its newline: 0, -EBADMSG or -ENOMEM. */
int maps_add_line(struct pidmem_maps *maps, const char *line, size_t size);

/* All lines are in: tie regions and usages together. */
void maps_finish(struct pidmem_maps *maps);

/* Append a copy of a region, with its path and usage, behind the last one: 0 or -ENOMEM. */
int maps_add_copy(struct pidmem_maps *maps, const struct pidmem_region *region);

/* Shared mappings that the process has now, and that are not as they are in a list: 1; 0 if there are none, or the
 * kernel cannot tell (before 6.11); -EAGAIN if they come and go, -ENOMEM. Of their flags only huge pages are known. */
int maps_find_newer(struct pidmem_process *process, const struct pidmem_maps *listed, struct pidmem_maps **newer);
/* A list with these, and of the old one what does not lie below them. Both are owned by it then, and regions of the old
 * one stay where they are, for whoever points at them. NULL without memory. */
struct pidmem_maps *maps_lay_over(struct pidmem_maps *listed, struct pidmem_maps *newer);
/* Does a region of such a list come from what was laid over? */
bool maps_is_newer(const struct pidmem_maps *maps, const struct pidmem_region *region);

/* Replace the path of a region. */
int maps_set_path(struct pidmem_maps *maps, struct pidmem_region *region, const char *path, size_t size);

/* One "Key: value" line of smaps into `usage`; unknown keys are passed over. 0 or -EBADMSG. */
int smaps_parse_line(struct pidmem_usage *usage, const char *line, size_t size);

/* Settle what the text of maps leaves open: " (deleted)" in a name, "\012" in a name. */
void maps_settle_names(struct pidmem_maps *maps, struct pidmem_process *process);

/* One line of maps, without its newline, into everything but the path and the kind; *path is where the path begins, as
 * the kernel escaped it. False if it is not a line of maps. */
bool region_parse(struct pidmem_region *region, const char *line, size_t size, const char **path);

/* By the path and the other fields. */
enum pidmem_kind region_kind(const struct pidmem_region *region);

/*
 * `now` is what is mapped at or above an address now: is that still the mapping of `region`? *size is cut to what
 * shares the answer.
 */
bool region_still_maps(const struct pidmem_region *now, const struct pidmem_region *region, uint64_t address,
		       uint64_t *size);

/* Is the region backed by a file that has (or had) a path of its own: neither anonymous nor a shared-memory object? */
bool region_has_named_file(const struct pidmem_region *region);

/* Has it been registered with a userfaultfd(2)? By its flags: a list without usages says no. */
bool region_has_userfaultfd(const struct pidmem_region *region);

/* Code of the kernel that each process can call: not its data ([vvar]), nor [vsyscall]. */
bool region_is_vdso(const struct pidmem_region *region);

#endif
