/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "save/core_tables.h"

#include <errno.h>

#include "format/holes_table.h"
#include "source/recorded.h"

/* Of a snapshot: as it was for the target a moment before. The copy of it has none of the pages of files. */
static const struct pidmem_usage *usage_of(struct pidmem_source *source, const struct pidmem_region *region)
{
	const struct pidmem_region *same = NULL;

	if (source_is_copy(source) && source->live && source->live->maps)
		same = pidmem_maps_find(source->live->maps, region->start);
	if (same && same->start == region->start && same->size == region->size && same->usage)
		return same->usage;
	return source_usage(source, region);
}

/* As smaps has it, at the moment of the freeze or nearly; of a file as that tells it. */
static int add_region(struct regions_table *note, struct pidmem_source *source, const struct pidmem_region *region)
{
	struct pidmem_region told = *region;

	if (source->recorded)
		return regions_table_region(note, region, recorded_has_usage(source->recorded));
	const struct pidmem_usage *usage = usage_of(source, region);
	if (usage) {
		told.resident = usage->rss + usage->shared_hugetlb + usage->private_hugetlb;
		told.swapped = usage->swap;
	}
	return regions_table_region(note, &told, usage != NULL);
}

static enum pidmem_class class_of(const struct core_part *part)
{
	if (part->known)
		return PIDMEM_ZERO;
	return part->why == PIDMEM_WHY_TRUNCATED ? PIDMEM_UNREADABLE : PIDMEM_EXCLUDED;
}

static int copy_threads(struct regions_table *note, const struct regions_list *list)
{
	int result = 0;

	for (size_t i = 0; i < list->thread_count && result == 0; i++)
		result = regions_table_thread(note, (pid_t)list->threads[i].tid, list->threads[i].state,
					      list->threads[i].name);
	return result;
}

int core_tables_add(struct buffer *out, struct regions_table *note, struct pidmem_source *source,
		    const struct core_plan *plan)
{
	const struct pidmem_maps *maps = pidmem_source_maps(source);
	const struct pidmem_region *region;
	int result = 0;

	for (size_t i = 0; result == 0 && (region = pidmem_maps_get(maps, i)); i++)
		result = add_region(note, source, region);
	if (source->recorded && result == 0)
		result = copy_threads(note, &source->recorded->facts.regions);
	for (size_t i = 0; i < plan->count && result == 0; i++) {
		const struct core_part *part = &plan->parts[i];
		if (part->file_size < part->size)
			result = regions_table_left(note, part->start + part->file_size, part->size - part->file_size,
						    class_of(part), part->known ? PIDMEM_WHY_NONE : part->why);
	}
	return result < 0 ? result : regions_table_add(out, note);
}

int core_holes_add(struct buffer *out, const struct pidmem_account *account)
{
	size_t count = pidmem_account_hole_count(account);

	for (size_t i = 0; i < count; i++) {
		const struct pidmem_hole *hole = pidmem_account_hole(account, i);
		struct left_entry entry = { hole->start, hole->size, hole->class_, hole->why };
		if (buffer_append(out, &entry, sizeof entry) < 0)
			return -ENOMEM;
	}
	return holes_table_end(out, count);
}
