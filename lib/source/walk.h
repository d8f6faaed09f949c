/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A walk from inside. Each function that tells fills the span of the walk's position: 1, or -errno. */
#ifndef SOURCE_WALK_H
#define SOURCE_WALK_H

#include "process/pages.h"
#include "source/source.h"

struct pidmem_walk {
	struct pidmem_source *source;
	struct pidmem_pages *pages;
	struct pidmem_page_run run; /* the last one told by `pages` */
	bool no_more_runs;
	bool states_only;
	bool no_swap;
	bool pass_over_stored;   /* what a store holds has no bytes either */
	uint64_t position, last; /* what has not been told yet, inclusive */
	bool done;
	const struct pidmem_region *region; /* that holds `position` */
	enum absent absent;                 /* of `region` */
	bool not_copied;                    /* it is not part of the copy that is read */
	uint64_t page_size;
	unsigned char *buffer;
	size_t buffer_size, held, told; /* bytes read, and how many of them have been told */
	enum pidmem_why held_why;       /* of these bytes: PIDMEM_WHY_MAPPED_FILE, or none */
	size_t extent;                  /* of a file: the last one that was told */
	struct pidmem_walk *live;       /* of a copy: through the target itself, for what no copy holds */
};

/* Go to another range within that of the walk, forward or back; the kernel is asked about the pages of that alone. */
void walk_seek(struct pidmem_walk *walk, uint64_t start, uint64_t size);

/* `size` bytes are of this kind. */
int tell(struct pidmem_walk *walk, struct pidmem_span *span, uint64_t size, enum pidmem_class class_,
	 enum pidmem_why why);

/* So many bytes, up to `limit`, were read into the buffer. */
int tell_read(struct pidmem_walk *walk, size_t got, struct pidmem_span *span);
/* Read memory of the process: 1 if some was, 0 if none can be (EIO). */
int tell_memory(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span);
int tell_held(struct pidmem_walk *walk, struct pidmem_span *span);

/* `limit` bytes from the position on have no entry in the page tables. */
int tell_absent(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span);

/* Of a copy: what was saved during the pause goes before what the copy has there. 1, or 0 and *limit cut to what else
 * is to be told. */
int tell_kept(struct pidmem_walk *walk, uint64_t *limit, struct pidmem_span *span);

/* Of memory that was copied while the process ran: what that was. */
int tell_precopied(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span);

/* Of a copy: absent pages that the target may have in its page tables. */
int tell_live(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span);

/* Of a file: what it holds there. */
int tell_recorded(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span);

#endif
