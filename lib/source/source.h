/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A source of bytes, from inside. */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "base/cleanup.h"
#include "pidmem.h"
#include "process/backing.h"
#include "process/mounts.h"

struct frozen;
struct kept;
struct recorded;
struct precopy;
struct stopped_threads;

struct pidmem_source {
	struct recorded *recorded;      /* what a file holds: then there is no process; else NULL */
	struct pidmem_process *process; /* where bytes come from: the target itself, or the frozen copy of it */
	struct pidmem_process *target; /* what was named: whom everything else is asked of (status, auxv, threads...) */
	const struct pidmem_select *select;
	struct pidmem_maps *maps;
	struct pidmem_maps *flag_maps; /* with usage; read when some region's flags are first asked for */
	struct backings backings;
	struct mount_devices devices; /* of a copy */
	bool cost_by_size;            /* no PAGEMAP_SCAN: huge regions without a resident page are not looked into */
	/* For kernels without PROCMAP_QUERY or PAGEMAP_SCAN: the regions as they were a moment ago. */
	struct pidmem_maps *fresh;
	uint64_t fresh_us, flags_us;
	enum { UFFD_NOT_ASKED, UFFD_NONE, UFFD_PERHAPS } userfaultfd; /* is memory registered with one? */

	/* How it is frozen; all of it is nothing for a live source. */
	enum pidmem_consistency consistency;
	struct frozen *frozen;       /* the process in its freeze */
	struct precopy *precopy;     /* copied while it ran: this is what is read, and nothing of the process */
	struct pidmem_freeze *owned; /* by pidmem_source_open(): the freeze goes with the source */
	bool released;               /* nothing can be read any more */
	const struct kept *kept;     /* of a copy: what was saved during the pause */
	struct pidmem_source *live;  /* of a copy: the target, for shared memory that is read after the pause */
};

/* Open for a freeze: no options, and the caller lists the regions. */
int source_open_live(struct pidmem_process *process, const struct pidmem_select *select, struct pidmem_error *error,
		     struct pidmem_source **source);
/* Its regions are these from now on. */
void source_take_maps(struct pidmem_source *source, struct pidmem_maps *maps);
void source_free(struct pidmem_source *source);
DEFINE_CLEANUP(cleanup_source, struct pidmem_source *, source_free)
#define AUTO_SOURCE CLEANUP(cleanup_source) struct pidmem_source *

/* Is it read from a frozen copy? */
static inline bool source_is_copy(const struct pidmem_source *source)
{
	return source->process != source->target;
}

/* Does it show one moment, so that its regions never change? */
static inline bool source_is_still(const struct pidmem_source *source)
{
	return source_is_copy(source) || source->precopy;
}

/* The threads as they were stopped, with their registers; *threads is NULL for a live source. Owned by the freeze. */
int source_threads(struct pidmem_source *source, struct pidmem_error *error, const struct stopped_threads **threads);

/* The first thread of the process, as it was before it was frozen: it may have ended or called exec since. What cannot
 * be had is zero. */
struct process_stat;
struct process_status;
void source_leader(const struct pidmem_source *source, struct process_stat *stat, struct process_status *status);

/* Its auxiliary vector (getauxval(3)), empty if it cannot be had: 0 or -ENOMEM. *is_64: by its layout. */
struct buffer;
int source_auxv(const struct pidmem_source *source, struct buffer *auxv, bool *is_64);
/* By which kinds of regions core files of it are written: 0 or -errno, as coredump_filter_read(). */
int source_filter(const struct pidmem_source *source, struct pidmem_error *error, unsigned *filter);

/* How it was frozen, as pidmem_freeze_describe(); of a live source that it is live. */
int source_report(struct pidmem_source *source, struct pidmem_error *error, struct pidmem_freeze_report *report);

/* What smaps says of a region; NULL if it cannot be had. Of a copy: as it was for the target (DONTFORK...). */
const struct pidmem_usage *source_usage(struct pidmem_source *source, const struct pidmem_region *region);

/* How much there will be to read, roughly: what is in memory and in swap, less what is left out. */
uint64_t source_expected(struct pidmem_source *source);

/* 0, or the error of a source that was let go. */
int source_check(const struct pidmem_source *source, struct pidmem_error *error);

DEFINE_CLEANUP(cleanup_walk, struct pidmem_walk *, pidmem_walk_close)
#define AUTO_WALK CLEANUP(cleanup_walk) struct pidmem_walk *

/* Go on with another range within that of the walk, which begins above what was told, or within the last span: what
 * lies between is neither told nor read. The walk must have been opened without PIDMEM_WALK_STATES. */
/* To walk_move(): bytes that are in the store of what was copied while the process ran are told without being read. */
#define WALK_PASS_OVER_STORED 0x100U
/* The walk of a freeze, for what a copy will not hold: it learns which pages are the process's own. */
#define WALK_TELL_OWN 0x200U
void walk_move(struct pidmem_walk *walk, uint64_t start, uint64_t size, unsigned flags);
/* Read no more at a time. */
void walk_read_at_most(struct pidmem_walk *walk, uint64_t size);
/* From here on as with PIDMEM_WALK_STATES. */
void walk_stop_reading(struct pidmem_walk *walk);

/* PIDMEM_VM_* of a region; 0 if they cannot be had. */
uint32_t source_flags(struct pidmem_source *source, const struct pidmem_region *region);

/* Does a userfaultfd supply the region's missing pages? Asked only when there are some: it costs milliseconds. */
bool source_is_uffd_missing(struct pidmem_source *source, const struct pidmem_region *region);

/* What pages are that the process does not have in its page tables. */
enum absent {
	ABSENT_ZERO,      /* private memory: never touched, unless a userfaultfd supplies it */
	ABSENT_FILE,      /* in the file */
	ABSENT_NO_FILE,   /* in a file or object that cannot be reached */
	ABSENT_VDSO,      /* code of the kernel, the same in each process */
	ABSENT_KERNEL,    /* never told: [vvar], [vsyscall] */
	ABSENT_DEVICE,    /* never touched */
	ABSENT_COPY,      /* of a copy: in a file on a disk; a page fault of the copy reads it, and harms nobody */
	ABSENT_LIVE,      /* of a copy: in a shared object that cannot be reached but through the target */
	ABSENT_NOT_ASKED, /* it is found out when there is such a page: that may open a file */
	ABSENT_FAILED,    /* could not be found out: source_failure() */
};
enum absent source_absent(struct pidmem_source *source, const struct pidmem_region *region);

/* The error behind ABSENT_FAILED; returns -errno. */
int source_failure(struct pidmem_source *source, const struct pidmem_region *region, struct pidmem_error *error);

/* process_still_maps(), and on kernels where that cannot tell, the list of regions of at most 50 ms ago. The regions of
 * a copy never change. */
bool source_still_maps(struct pidmem_source *source, const struct pidmem_region *region, uint64_t address,
		       uint64_t *size);

/* Without PAGEMAP_SCAN: is there certainly nothing in a region that is too large to look? */
bool source_is_empty(struct pidmem_source *source, const struct pidmem_region *region);

/* Why an absent page of ABSENT_NO_FILE cannot be read. */
enum pidmem_why source_no_file_why(const struct pidmem_region *region);

/*
 * Reading failed at `address`, within `region`; find out why, for as much as shares the cause: fills class, why and
 * size (at most `limit`). Returns 1, or 0 if the page is no longer in the page tables: then it is an absent one. The
 * size is set in both cases. -errno if the process is gone.
 */
int explain_unreadable(struct pidmem_source *source, const struct pidmem_region *region, uint64_t address,
		       uint64_t limit, struct pidmem_error *error, struct pidmem_span *span);

#endif
