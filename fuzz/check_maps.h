/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must hold of any list of regions that the parser accepts. */
#ifndef CHECK_MAPS_H
#define CHECK_MAPS_H

#include "fuzz.h"
#include "pidmem.h"

static inline void check_region(const struct pidmem_maps *maps, const struct pidmem_region *region)
{
	uint64_t last = region->start + region->size - 1;

	MUST(region->size > 0 && last >= region->start);
	MUST(region->path && strlen(region->path) == region->path_size);
	MUST(pidmem_kind_name(region->kind));
	MUST(pidmem_maps_find(maps, region->start) == region);
	MUST(pidmem_maps_find(maps, last) == region);
	MUST(pidmem_maps_find_next(maps, region->start) == region);
}

/* An address that can be described leads back to itself, unless a file is named "other+0x10". */
static inline void check_description(const struct pidmem_maps *maps, uint64_t address)
{
	char text[8192];
	int length = pidmem_maps_describe(maps, address, text, sizeof text);
	MUST(length >= 0 && strlen(text) == ((size_t)length < sizeof text ? (size_t)length : sizeof text - 1));
	uint64_t found;
	if (length > 0 && (size_t)length < sizeof text && pidmem_maps_resolve(maps, text, NULL, &found) == 0)
		MUST(found == address);
}

static inline void check_regions(const struct pidmem_maps *maps)
{
	size_t count = pidmem_maps_count(maps);

	for (size_t i = 0; i < count; i++) {
		const struct pidmem_region *region = pidmem_maps_get(maps, i);
		check_region(maps, region);
		if (i > 0) {
			const struct pidmem_region *before = pidmem_maps_get(maps, i - 1);
			MUST(before->start + before->size - 1 < region->start);
		}
	}
	MUST(!pidmem_maps_get(maps, count));
}

static inline void check_maps(const uint8_t *data, size_t size)
{
	struct pidmem_error error = { 0 };
	struct pidmem_maps *maps = NULL;
	int result = pidmem_maps_parse((const char *)data, size, &error, &maps);

	if (result < 0) {
		MUST(!maps && error.code != PIDMEM_OK && error.text[0]);
		return;
	}
	size_t count = pidmem_maps_count(maps);
	bool ambiguous = memmem(data, size, "+0x", 3) || memmem(data, size, "+0X", 3);
	check_regions(maps);
	for (size_t i = 0; i < count && !ambiguous; i++) {
		const struct pidmem_region *region = pidmem_maps_get(maps, i);
		check_description(maps, region->start + region->size - 1);
	}
	pidmem_maps_free(maps);
}

#endif
