/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stretch.h"
#include "failure.h"
#include "ui/region.h"
#include "ui/size.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STANDARD_LENGTH 256

struct place_text {
	char text[512];
};

/* "/usr/bin/redis-server, r--p" */
static struct place_text describe(const struct pidmem_region *region)
{
	struct place_text place;
	char perms[8];

	*put_perms(perms, region) = '\0';
	snprintf(place.text, sizeof(place.text), "%.400s%s, %s",
		 region->path_size ? region->path : pidmem_kind_name(region->kind), region->deleted ? " (deleted)" : "",
		 perms);
	return place;
}

/* The highest region that ends at or below an address; only for a message, so the plain way. */
static const struct pidmem_region *region_below(const struct pidmem_maps *maps, uint64_t address)
{
	const struct pidmem_region *below = NULL, *region;

	for (size_t i = 0; (region = pidmem_maps_get(maps, i)) && region->start < address; i++)
		below = region;
	return below;
}

static void hint_nearest(const struct pidmem_maps *maps, uint64_t address)
{
	const struct pidmem_region *above = pidmem_maps_find_next(maps, address);
	const struct pidmem_region *below = region_below(maps, address);

	if (above && below)
		hint("the nearest mapped addresses are 0x%" PRIx64 " below (%s) and 0x%" PRIx64 " above (%s)",
		     below->start + (below->size - 1), describe(below).text, above->start, describe(above).text);
	else if (above)
		hint("the lowest mapped address is 0x%" PRIx64 " (%s)", above->start, describe(above).text);
	else if (below)
		hint("the highest mapped address is 0x%" PRIx64 " (%s)", below->start + (below->size - 1),
		     describe(below).text);
}

/* How many bytes are mapped without a gap from an address on that is mapped; up to 2^64 - 1. */
static uint64_t stretch_size(const struct pidmem_maps *maps, uint64_t address)
{
	const struct pidmem_region *region = pidmem_maps_find(maps, address);
	uint64_t last = region->start + (region->size - 1);

	while (last != UINT64_MAX && (region = pidmem_maps_find(maps, last + 1)))
		last = region->start + (region->size - 1);
	return last - address + 1;
}

static int too_long(uint64_t start, uint64_t room, const char *length)
{
	fail("a length of \"%s\" from 0x%" PRIx64 " on reaches beyond what is mapped there", length, start);
	hint("%" PRIu64 " bytes (0x%" PRIx64 ") can be read from 0x%" PRIx64 " on; `pidmem maps` lists what is mapped",
	     room, room, start);
	return EXIT_FAILED;
}

static int parse_length(const char *text, uint64_t start, uint64_t room, uint64_t *size)
{
	if (!text) {
		*size = room < STANDARD_LENGTH ? room : STANDARD_LENGTH;
		return 0;
	}
	if (!size_parse(text, size)) {
		fail("\"%s\" is not a length", text);
		hint("a length is decimal, 0x hex, or has a suffix K, M, G or T, and is less than 2^64; "
		     "%" PRIu64 " bytes can be read from 0x%" PRIx64 " on",
		     room, start);
		return EXIT_FAILED;
	}
	if (*size == 0) {
		fail("a length of 0 reads nothing");
		hint("%" PRIu64 " bytes can be read from 0x%" PRIx64 " on", room, start);
		return EXIT_FAILED;
	}
	return *size > room ? too_long(start, room, text) : 0;
}

/* START-END, as in maps: what it would be is said. */
static bool hint_range(const struct target *target, const char *text, const struct pidmem_error *error)
{
	static const char digits[] = "0123456789abcdefABCDEFxX";
	size_t dash = strspn(text, digits);
	unsigned long long start, end;
	char pid[24];

	if (!dash || text[dash] != '-' || !text[dash + 1] || text[dash + 1 + strspn(text + dash + 1, digits)])
		return false;
	start = strtoull(text, NULL, 16);
	end = strtoull(text + dash + 1, NULL, 16);
	fail("%s", error->text);
	snprintf(pid, sizeof(pid), "%d", (int)target->pid);
	if (end > start)
		hint("write START LEN: `pidmem read %s 0x%llx 0x%llx`", target->file ? target->path : pid, start,
		     end - start);
	else
		hint("write START LEN; in \"%s\" the end is not above the start", text);
	return true;
}

int range_parse(const struct target *target, const struct pidmem_maps *maps, const char *address, const char *length,
		struct range *range)
{
	struct pidmem_error error;
	uint64_t start, size;
	int failed;

	if (pidmem_maps_resolve(maps, address, &error, &start) < 0) {
		if (hint_range(target, address, &error))
			return EXIT_FAILED;
		fail_with(&error);
		if (!error.hint[0])
			hint("an address is hex, with or without 0x, or NAME+OFFSET, and is below 2^64");
		return EXIT_FAILED;
	}
	if (!pidmem_maps_find(maps, start)) {
		fail("0x%" PRIx64 " is not mapped in %s", start, target->words);
		hint_nearest(maps, start);
		return EXIT_FAILED;
	}
	failed = parse_length(length, start, stretch_size(maps, start), &size);
	if (failed)
		return failed;
	range->start = start;
	range->size = size;
	return 0;
}
