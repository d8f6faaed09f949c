/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of each range of an address space, put together layer by layer. */
#ifndef SOURCE_EXTENTS_H
#define SOURCE_EXTENTS_H

#include "base/cleanup.h"
#include "pidmem.h"

struct extent {
	uint64_t start, size;
	enum pidmem_class class_;
	enum pidmem_why why;
	uint64_t offset; /* of PIDMEM_READ: in the file */
	uint32_t file;   /* of a split dump: which one */
};

/* By address, none overlapping another; begin with zeros. */
struct extents {
	struct extent *items;
	size_t count, capacity;
};
void extents_done(struct extents *extents);
#define AUTO_EXTENTS CLEANUP(extents_done) struct extents

/* Append one behind the others: 0 or -ENOMEM. */
int extents_add(struct extents *extents, const struct extent *extent);
/* Where `base` has something, and `over` too, that of `over` counts. 0 or -ENOMEM. */
int extents_overlay(struct extents *base, const struct extents *over);
/* The index of the one that holds an address, or of the next above it, or the number of all. */
size_t extents_find(const struct extents *extents, uint64_t address);

#endif
