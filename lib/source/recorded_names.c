/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The regions of a core: from pidmem's own table, which has them as they were; else from the segments, and NT_FILE for
 * their names. What neither tells is left open: permissions as unknown, and memory without a name as anonymous.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "source/recorded.h"

#define VSYSCALL_START 0xffffffffff600000ULL /* VSYSCALL_ADDR of the kernel, x86-64 */

int recorded_add_region(struct pidmem_maps *maps, const struct pidmem_region *region, const char *path, size_t size)
{
	struct pidmem_region *regions = array_grow(maps->regions, maps->count, &maps->capacity, sizeof *regions);
	const struct pidmem_region *last = maps->count ? &regions[maps->count - 1] : NULL;

	if (!regions)
		return -ENOMEM;
	maps->regions = regions;
	struct pidmem_region *added = &regions[maps->count];
	*added = *region;
	if (last && last->path_size == size && !memcmp(last->path, path, size)) {
		added->path = last->path;
		added->path_size = size;
	} else if (maps_set_path(maps, added, path, size) < 0) {
		return -ENOMEM;
	}
	maps->count++;
	return 0;
}

static uint64_t last_of(uint64_t start, uint64_t size)
{
	return start + (size - 1);
}

static uint32_t perms_of(uint32_t flags)
{
	return (flags & PF_R ? PIDMEM_PERM_READ : 0) | (flags & PF_W ? PIDMEM_PERM_WRITE : 0) |
	       (flags & PF_X ? PIDMEM_PERM_EXEC : 0) | PIDMEM_PERM_SHARING_UNKNOWN;
}

/* Where the building of the list has come to. */
struct builder {
	const struct core_headers *headers;
	struct pidmem_maps *maps;
	size_t load; /* the first one that is not all below */
};

/* The first load that reaches `address`; addresses only rise. */
static const struct elf_segment *next_load(struct builder *builder, uint64_t address)
{
	const struct elf_segment *loads = builder->headers->loads;

	while (builder->load < builder->headers->load_count &&
	       last_of(loads[builder->load].start, loads[builder->load].size) < address)
		builder->load++;
	return builder->load < builder->headers->load_count ? &loads[builder->load] : NULL;
}

/* Segments of which no list tells, from `first` to `last`: a region for each. */
static int add_loads(struct builder *builder, uint64_t first, uint64_t last)
{
	const struct elf_segment *load;

	while ((load = next_load(builder, first)) && load->start <= last) {
		uint64_t start = load->start > first ? load->start : first, end = last_of(load->start, load->size);
		end = end < last ? end : last;
		struct pidmem_region region = { .start = start,
						.size = end - start + 1,
						.perms = perms_of(load->flags) };
		if (recorded_add_region(builder->maps, &region, "", 0) < 0)
			return -ENOMEM;
		if (end == last)
			break;
		first = end + 1;
	}
	return 0;
}

/* Behind the last region there is something left, which begins at *begin. */
static bool has_room(const struct pidmem_maps *maps, uint64_t *begin)
{
	const struct pidmem_region *last = maps->count ? &maps->regions[maps->count - 1] : NULL;

	*begin = last ? last->start + last->size : 0;
	return !last || *begin != 0; /* 0: it ends at 2^64 */
}

/* The gap behind the last region, before `start`. */
static int add_gap(struct builder *builder, uint64_t start)
{
	uint64_t begin;

	return has_room(builder->maps, &begin) && begin < start ? add_loads(builder, begin, start - 1) : 0;
}

/* All that is behind the last region. */
static int add_rest(struct builder *builder)
{
	uint64_t begin;

	return has_room(builder->maps, &begin) ? add_loads(builder, begin, UINT64_MAX) : 0;
}

/* ------------------------------------------------------------------------------------ pidmem's own table --- */

static int add_noted(struct builder *builder, const struct region_entry *entry, const char *path, size_t size)
{
	struct pidmem_region region = {
		.start = entry->start,
		.size = entry->size,
		.offset = entry->offset,
		.inode = entry->inode,
		.dev_major = entry->dev_major,
		.dev_minor = entry->dev_minor,
		.perms = entry->perms & 63U,
		.kind = (enum pidmem_kind)entry->kind,
		.deleted = entry->flags & REGION_DELETED,
		.resident = entry->resident,
		.swapped = entry->swapped,
	};
	int result = add_gap(builder, entry->start);

	return result < 0 ? result : recorded_add_region(builder->maps, &region, path, size);
}

static int list_noted(struct builder *builder, const struct regions_list *list)
{
	const char *path = list->paths, *last_path = "";
	size_t last_size = 0;

	for (size_t i = 0; i < list->region_count; i++) {
		const struct region_entry *entry = &list->regions[i];
		if (!(entry->flags & REGION_SAME_PATH)) {
			last_path = path;
			last_size = entry->path_size;
			path += entry->path_size;
		}
		if (add_noted(builder, entry, last_path, last_size) < 0)
			return -ENOMEM;
	}
	return add_rest(builder);
}

/* ---------------------------------------------------------------------------------------------- NT_FILE --- */

/* What a name tells of a region: shared memory without a name of its own in the file system is never private. */
static void judge_name(struct pidmem_region *region, const char *path, size_t *size)
{
	static const char mark[] = " (deleted)";
	size_t mark_size = sizeof mark - 1;
	bool zero;

	region->kind = PIDMEM_KIND_FILE;
	region->deleted = *size > mark_size && !memcmp(path + *size - mark_size, mark, mark_size);
	if (region->deleted)
		*size -= mark_size;
	zero = *size == 9 && bytes_begin(path, *size, "/dev/zero");
	if (region->deleted && (zero || bytes_begin(path, *size, "/SYSV"))) {
		region->perms = (region->perms & ~PIDMEM_PERM_SHARING_UNKNOWN) | PIDMEM_PERM_SHARED;
		region->kind = PIDMEM_KIND_SHARED;
	} else if (zero || bytes_begin(path, *size, "/anon_hugepage")) {
		region->kind = PIDMEM_KIND_ANON;
	}
}

/* A mapped file, of which some parts may be in segments and others not. */
static int add_file(struct builder *builder, const struct mapped_file *file)
{
	uint64_t first = file->start, last = last_of(file->start, file->size);

	for (;;) {
		const struct elf_segment *load = next_load(builder, first);
		bool inside = load && load->start <= first;
		uint64_t end = last;
		if (inside && last_of(load->start, load->size) < last)
			end = last_of(load->start, load->size);
		else if (!inside && load && load->start <= last)
			end = load->start - 1;
		struct pidmem_region region = {
			.start = first,
			.size = end - first + 1,
			.offset = file->offset + (first - file->start),
			.perms = inside ? perms_of(load->flags) : PIDMEM_PERM_UNKNOWN | PIDMEM_PERM_SHARING_UNKNOWN,
		};
		size_t size = file->path_size;
		judge_name(&region, file->path, &size);
		if (recorded_add_region(builder->maps, &region, file->path, size) < 0)
			return -ENOMEM;
		if (end == last)
			return 0;
		first = end + 1;
	}
}

static int list_files(struct builder *builder, const struct file_list *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (add_gap(builder, files->files[i].start) < 0 || add_file(builder, &files->files[i]) < 0)
			return -ENOMEM;
	return add_rest(builder);
}

/* ---------------------------------------------------------------------------------------- without a name --- */

static int set_name(struct pidmem_maps *maps, struct pidmem_region *region, const char *name, enum pidmem_kind kind)
{
	region->kind = kind;
	region->perms &= ~PIDMEM_PERM_SHARING_UNKNOWN;
	return maps_set_path(maps, region, name, strlen(name));
}

static struct pidmem_region *unnamed_at(struct pidmem_maps *maps, uint64_t address)
{
	const struct pidmem_region *region = address ? pidmem_maps_find(maps, address) : NULL;

	return region && !region->path_size ? &maps->regions[region - maps->regions] : NULL;
}

/* The kernel's data stand right before its code: one region, and since Linux 6.13 a second one. */
static int name_vvar(struct pidmem_maps *maps, size_t vdso)
{
	size_t first = vdso;

	while (first > 0 && vdso - first < 2) {
		const struct pidmem_region *region = &maps->regions[first - 1];
		if (region->path_size || region->start + region->size != maps->regions[first].start ||
		    (region->perms & 7U) != PIDMEM_PERM_READ)
			break;
		first--;
	}
	for (size_t i = first; i < vdso; i++)
		if (set_name(maps, &maps->regions[i], i == first ? "[vvar]" : "[vvar_vclock]", PIDMEM_KIND_VDSO) < 0)
			return -ENOMEM;
	return 0;
}

/* By the addresses that the kernel told the program. */
static int name_special(const struct core_facts *facts, struct pidmem_maps *maps)
{
	struct pidmem_region *vdso = unnamed_at(maps, facts->vdso), *stack = unnamed_at(maps, facts->random);
	struct pidmem_region *vsyscall = unnamed_at(maps, VSYSCALL_START);

	if ((stack && set_name(maps, stack, "[stack]", PIDMEM_KIND_STACK) < 0) ||
	    (vsyscall && set_name(maps, vsyscall, "[vsyscall]", PIDMEM_KIND_VDSO) < 0) ||
	    (vdso && vdso != stack && set_name(maps, vdso, "[vdso]", PIDMEM_KIND_VDSO) < 0))
		return -ENOMEM;
	return vdso ? name_vvar(maps, (size_t)(vdso - maps->regions)) : 0;
}

int recorded_list_regions(const struct recorded *recorded, struct pidmem_maps *maps)
{
	const struct core_facts *facts = &recorded->facts;
	struct builder builder = { &recorded->headers, maps, 0 };

	if (facts->has_regions)
		return list_noted(&builder, &facts->regions);
	int result = list_files(&builder, &facts->files);
	return result < 0 ? result : name_special(facts, maps);
}
