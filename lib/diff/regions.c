/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Regions that came, went, or are others now. */
#include <string.h>

#include "diff/diff.h"

/* The region at an address, or NULL; and how many bytes from there on share that answer: 0 means up to 2^64. */
static const struct pidmem_region *region_at(const struct pidmem_maps *maps, uint64_t address, uint64_t *size)
{
	const struct pidmem_region *region = pidmem_maps_find_next(maps, address);

	if (region && region->start <= address) {
		*size = region->size - (address - region->start);
		return region;
	}
	*size = region ? region->start - address : 0 - address;
	return NULL;
}

static bool is_known(const struct pidmem_region *one, const struct pidmem_region *other, uint32_t unknown)
{
	return !((one->perms | other->perms) & unknown);
}

/* Of what a file does not tell nothing is claimed. */
static bool same_rights(const struct pidmem_region *one, const struct pidmem_region *other)
{
	const uint32_t access = PIDMEM_PERM_READ | PIDMEM_PERM_WRITE | PIDMEM_PERM_EXEC;
	uint32_t changed = one->perms ^ other->perms;

	return !(is_known(one, other, PIDMEM_PERM_UNKNOWN) && changed & access) &&
	       !(is_known(one, other, PIDMEM_PERM_SHARING_UNKNOWN) && changed & PIDMEM_PERM_SHARED);
}

/* Cores of others than pidmem have names of files alone, without device and inode. */
static bool same_file(const struct pidmem_region *one, const struct pidmem_region *other)
{
	bool names = one->path[0] == '/' || other->path[0] == '/';

	return !names ||
	       (!strcmp(one->path, other->path) && one->offset + (other->start - one->start) == other->offset);
}

static bool judge(struct pidmem_difference *difference)
{
	const struct pidmem_region *one = difference->regions[0], *other = difference->regions[1];

	if (!one && !other)
		return false;
	if (!one || !other)
		difference->kind = one ? PIDMEM_WENT : PIDMEM_CAME;
	else if (!same_file(one, other))
		difference->kind = PIDMEM_REPLACED;
	else if (!same_rights(one, other))
		difference->kind = PIDMEM_OTHER_RIGHTS;
	else
		return false;
	return true;
}

/* *size is cut to what shares the answer. */
static bool is_selected(const struct pidmem_select *select, const struct pidmem_region *region, uint64_t address,
			uint64_t *size)
{
	uint64_t run;

	if (!region)
		return false;
	bool selected = pidmem_select_test(select, region, address, &run);
	*size = run < *size ? run : *size;
	return selected;
}

bool region_pair_next(struct region_pair *pair, struct pidmem_difference *out)
{
	while (!pair->ended) {
		uint64_t sizes[2];
		struct pidmem_difference difference = { .address = pair->at };
		bool selected = false;
		for (int i = 0; i < 2; i++) {
			difference.regions[i] = region_at(pair->maps[i], pair->at, &sizes[i]);
			selected |= is_selected(pair->selects[i], difference.regions[i], pair->at, &sizes[i]);
		}
		/* 0 stands for 2^64, from address 0 on. */
		difference.size = sizes[0] - 1 < sizes[1] - 1 ? sizes[0] : sizes[1];
		pair->at += difference.size;
		pair->ended = pair->at == 0;
		if (!selected || !judge(&difference) ||
		    (difference.kind == PIDMEM_WENT && moves_has_gone(pair->moves, difference.regions[0])))
			continue;
		const struct move *move =
			difference.kind == PIDMEM_CAME ? moves_to(pair->moves, difference.regions[1]) : NULL;
		if (move) {
			difference.kind = PIDMEM_MOVED;
			difference.regions[0] = move->regions[0];
			difference.known = move->compared > 0;
			difference.changed = move->changed;
		}
		*out = difference;
		return true;
	}
	return false;
}
