/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pre-copy: a snapshot for a stop of about a millisecond. The target is copied into a store while it runs, and which
 * pages it writes to meanwhile is tracked; those are copied again, and again; then it is stopped for the last few.
 *
 *   freeze_precopy.c  the order of things
 *   freeze_forecast.c how long the stop is going to be, and the choice of the engine
 *   precopy.c         the object
 *   precopy_pass.c    the passes while it runs
 *   precopy_keep.c    where they copy to
 *   precopy_pace.c    how many of them, and whether they copy into the store or into memory first
 *   precopy_track.c   which mappings are tracked
 *   precopy_untrack.c letting them go
 *   precopy_wish.c    which memory is copied
 *   precopy_unfit.c   which processes are better not copied so
 *   precopy_pause.c   the last pass, while it stands still
 *   precopy_list.c    listing pages in it
 *   precopy_late.c    copying in it
 *   page_pool.c       what later passes and the stop copied, until it is in the store
 *   page_log.c        what of that is too much for memory
 *   precopied.c       reading what was copied
 */
#ifndef SOURCE_PRECOPY_H
#define SOURCE_PRECOPY_H

#include "base/worker.h"
#include "process/tracker.h"
#include "source/freeze.h"
#include "source/page_log.h"

/* What is not in the store, of the memory that is wanted, at the moment of the stop. */
struct precopied_run {
	uint64_t start, size;
	enum { PRECOPIED_ABSENT, PRECOPIED_ZERO, PRECOPIED_GUARD } what;
};

/* So many runs one scan tells. */
#define PRECOPY_RUNS 8192

/* So much one call reads, while whoever wants the processor waits: most kernels are built without preemption. */
#define PRECOPY_BUFFER (256UL << 10)
#define PRECOPY_ARGUMENTS 80

/* What one thread lists. */
struct precopy_list {
	const struct tracker *tracker;
	enum tracker_scan what;
	struct tracker_range range;
	struct page_region *runs;
	size_t count, capacity;
	int result;
};

/* Is this part of a region wanted? */
struct precopy_answer {
	uint64_t start, end;
	bool wanted;
};

struct precopy {
	struct pidmem_process *process;
	struct frozen *frozen;
	int userfaultfd;
	struct tracker tracker;
	struct store store;
	struct pidmem_maps *maps; /* of the last pass; at the stop: of that moment */
	struct page_region *list; /* what one scan tells */
	unsigned char *buffer;
	struct page_list foreign; /* mappings that are not tracked: somebody else's, of a pool, droppable */
	bool *unasked;            /* regions of which it is not known yet whether somebody else tracks them, or NULL */
	struct page_list failed;  /* that could not be read: the stop is to tell why */
	struct page_log log;      /* newer than what is in the store */
	struct page_pool recent;  /* newer yet */
	bool watched;             /* somebody has registered some of its memory with a userfaultfd */
	bool rival;               /* he may track writes as well, and look at all memory: then nothing is tracked */
	bool registers;           /* it uses userfaultfd itself, and may register more at any time */
	bool hurried;             /* passes are made at the caller's priority */
	bool cut;                 /* the last pass was given up for want of a processor */
	uint64_t looked_us;       /* when that was asked */
	bool whole;               /* all has been copied once */
	unsigned quick;           /* counts the passes that need no log, with the one under way; 0 before */

	/* At the stop. */
	struct worker *worker;
	struct precopy_list lists[2]; /* one after the other */
	struct precopy_answer answer; /* of what was listed last */
	struct precopied_run *runs;
	size_t run_count, run_capacity;
	struct page_pool late; /* copied then */
	uint64_t file_room;    /* bytes of files that may still be copied */

	/* Of the process, that need not live any more when it is asked for. */
	struct backings files;
	struct buffer auxv;
	bool is_64;
	char arguments[PRECOPY_ARGUMENTS]; /* of the command line, which need not be part of the memory that is wanted
					    */
	size_t arguments_size;

	/* How it went. */
	unsigned passes;
	uint64_t copied, before; /* bytes, in the last pass and in the one before it */
	uint64_t least;          /* in any pass */
	uint64_t left;           /* that passes may still copy, whether that helps or not: all of it twice */
	unsigned stuck;          /* so many passes in a row did not copy less than the one before them */
	uint64_t untracked;      /* bytes copied in the stop for want of tracking */
};

/* Why the process is better copied by a clone, in a few words, or NULL. */
const char *precopy_unfit(const struct frozen *frozen);
/* The same, of what may change while it is copied: who writes to its memory untracked, or while it stands still. */
const char *precopy_who_else_writes(const struct frozen *frozen);
/* Could it be that tracking makes calls of its own userfaultfd fail, where a clone would not? */
bool precopy_would_hinder(const struct frozen *frozen);

/* Get the store and all else ready. Errors: PIDMEM_SYSTEM. */
int precopy_open(struct frozen *frozen, struct pidmem_error *error, struct precopy **precopy);
void precopy_close(struct precopy *precopy);
/* Begin to track by `userfaultfd`, which is from guard_track() and is owned from then on. Errors: PIDMEM_UNSUPPORTED,
 * PIDMEM_SYSTEM... */
int precopy_begin(struct precopy *precopy, struct pidmem_error *error);

/* End tracking, in steps for which the process hardly has to wait; precopy_close() does it as well. */
void precopy_untrack(struct precopy *precopy);
/* Track mappings, as many as can be, if some of `wanted`, by the index of their region, are not tracked yet. */
int precopy_track(struct precopy *precopy, const bool *wanted);
/* Note those that somebody else has registered, before anything was tracked, and those that cannot be tracked, by
 * their flags: 0 or -ENOMEM. */
int precopy_find_foreign(struct precopy *precopy, const struct pidmem_maps *maps);
/* Is a mapping tracked by somebody else? There is no way to ask but to track it: if it is another one by now, it may be
 * split by that. So it is asked where nothing moves, or where the process may do that itself. */
bool precopy_is_taken(const struct precopy *precopy, uint64_t start, uint64_t size);
/* Note those among what was not listed before, and huge pages of a pool: 0 or -ENOMEM. What may not be asked about
 * before everybody is standing still is asked about then. */
int precopy_find_taken(struct precopy *precopy, const struct pidmem_maps *before, bool standing);

/* Open the files that will be needed, as long as the process lives; its regions are listed with all details. */
void precopy_open_files(struct precopy *precopy);

/* Copy what was written to since the last pass, in the first one everything. It is given up (`cut`) if others leave it
 * next to no processor: the next one, at the caller's priority, does the rest. */
int precopy_pass(struct precopy *precopy, struct pidmem_error *error);
/* Keep what was read into the buffer, or zeros. Errors: of store_write() and page_log_add(). */
int precopy_keep(struct precopy *precopy, uint64_t start, uint64_t size, struct pidmem_error *error);
int precopy_keep_zeros(struct precopy *precopy, uint64_t start, uint64_t size, struct pidmem_error *error);
/* Write what is not in the store yet into it. */
int precopy_flush(struct precopy *precopy, struct pidmem_error *error);
/* Look at what it copied: has it become less, and where is the next one to copy to? */
void precopy_end_pass(struct precopy *precopy);
/* From now on, passes are made at the caller's priority: those before are no measure. */
void precopy_hurry(struct precopy *precopy);
/* Has it come so far that another pass would not make the stop shorter? */
bool precopy_is_ready(const struct precopy *precopy);
/* How long the copying in the stop is going to take, if as much is written to as during the last pass. */
uint64_t precopy_left_us(const struct precopy *precopy);

/*
 * How much of a region from `at` on is wanted, if any of it is: *size is cut to what shares the answer. Memory is
 * private; of files, what was written to. A core file wants what the rules would want once it is written to.
 */
bool precopy_wants(const struct precopy *precopy, const struct pidmem_region *region, uint64_t at, uint64_t *size);

/* How much of a region is in memory; of files, as far as what was written to is known. */
uint64_t precopy_bytes_in(const struct pidmem_region *region);

/* Neither shared memory nor the kernel's: only such is copied while the process runs. */
bool precopy_is_private(const struct pidmem_region *region);

/* Code of the kernel. That of this program's kind of process is known, of another it is copied in the stop. */
bool precopy_is_vdso(const struct pidmem_region *region);
bool precopy_wants_some(const struct precopy *precopy, const struct pidmem_region *region);
/*
 * The next stretch of a region, from `from` on, that is copied while the process runs: what is wanted, and of memory
 * without a file the rest of its huge pages. All that is protected is copied: it may be wanted by the time of the stop.
 */
bool precopy_next_stretch(const struct precopy *precopy, const struct pidmem_region *region, uint64_t from,
			  uint64_t *start, uint64_t *end);

/* Is it better not protected? Whoever else watches it would miss what he waits for. */
bool precopy_is_foreign(const struct precopy *precopy, const struct pidmem_region *region);
/* The next range of stretches of one kind that follow each other, behind the end of *range, which is all 0 at first,
 * and from region *index on. False after the last. */
bool precopy_next_range(const struct precopy *precopy, size_t *index, struct tracker_range *range);

/* Get ready for precopy_list_range(): 0 or -ENOMEM. */
int precopy_list_prepare(struct precopy *precopy);
/* List what of a range is not in the store for sure, into both `lists`; or else what exists. */
int precopy_list_range(struct precopy *precopy, struct tracker_range range);
bool precopy_lists_present(const struct precopy *precopy, const struct tracker_range *range);
/* Copy what was listed for that, and note in the freeze what cannot be read. Errors: of pidmem_walk_next(). */
int precopy_copy_late(struct precopy *precopy, struct pidmem_error *error);
/* The target stands still: list what exists, and copy what is not in the store yet. 1 if that is too much: moving one
 * mapping to others can end tracking all of them (mremap(2)), just before the stop. */
int precopy_pause(struct precopy *precopy, struct pidmem_error *error);
/* The first run whose last byte is at or above an address, or NULL. */
const struct precopied_run *precopied_find_next(const struct precopy *precopy, uint64_t address);
/* The first bytes of the command line: how many. */
size_t precopied_arguments(const struct precopy *precopy, char *bytes, size_t size);
/* It runs on: put that into the store as well, end tracking, and make it the source of the process in its freeze. */
int precopy_finish(struct precopy *precopy, struct pidmem_error *error);

/* Not this engine for one process, but the other one: 0. */
int freeze_no_precopy(struct frozen *frozen, const char *reason);
/* Not this engine either for those of which so much would have to be copied in the stop that it takes much memory,
 * unless it was asked for. */
void freeze_bound_late(struct pidmem_freeze *freeze);
/* The same in the stop, when it is known. */
bool freeze_copies_too_much(const struct pidmem_freeze *freeze);
/* Take the better engine for each process: 0, or PIDMEM_UNSUPPORTED if a limit of the pause cannot be kept. */
int freeze_choose_engines(struct pidmem_freeze *freeze, struct pidmem_error *error);

#endif
