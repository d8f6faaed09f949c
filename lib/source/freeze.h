/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A freeze from inside
 *
 *   freeze.c          the object
 *   freeze_precopy.c  copying processes while they run, before that: see precopy.h
 *   freeze_moment.c   the order of things: stop, copy, resume
 *   freeze_stop.c     getting processes ready, and stopping all of them, with their descendants
 *   freeze_choose.c   what a copy will not hold and is to be saved while a target stands still
 *   freeze_pause.c    saving it
 *   freeze_shared.c   shared memory that comes in between
 *   freeze_join.c     after the pause: the source on the copy
 *   freeze_release.c  letting go
 *   freeze_report.c   what is told of it
 *   fallback.c        why something less was done than was asked for
 */
#ifndef SOURCE_FREEZE_H
#define SOURCE_FREEZE_H

#include <signal.h>

#include "process/status.h"
#include "sink/watch.h"
#include "source/kept.h"
#include "source/source.h"
#include "stop/guard.h"

/* The pause, the reaping of the copy, and those of an attempt that failed. */
#define STOPS 8

/* A region that a copy does not hold, or holds empty, or shares with the target. */
struct candidate {
	const struct pidmem_region *region; /* of the list of `live`, or below that */
	uint64_t bytes;                     /* of it that are selected */
	bool dont_copy;                     /* only if the copy does not have it after all */
	uint64_t written;                   /* of it that private pages were found in when it was saved */
};

/* One process of a freeze. */
struct frozen {
	struct pidmem_freeze *freeze;
	struct pidmem_process *process;
	bool owned; /* the handle is ours: a descendant */
	enum pidmem_consistency consistency;
	char fallback[400]; /* "" if it is what was asked for */
	char no_copy[256];  /* why clone(2) would not make a copy, or must not; "" if nothing is known against it */
	struct process_stat stat; /* of the first thread, as it was before the stop */
	struct process_status status;
	bool stopped; /* by the guard, which knows it by this index */
	size_t index;
	bool released;              /* before the others, and for good */
	struct pidmem_source *live; /* on the process itself */
	struct precopy *precopy;    /* NULL if it is not copied while it runs */
	bool tried_precopy;         /* and if not, it cannot be, as far as is known */
	unsigned surprises;         /* so often too much was left for the stop */

	/* Its copy. */
	pid_t copy;
	struct pidmem_process *copy_process;
	struct pidmem_source *source;
	struct candidate *candidates; /* in address order */
	size_t candidate_count, candidate_capacity;
	unsigned filter;           /* by which core files are written, if it is for one */
	bool may_register;         /* memory with a userfaultfd that it holds */
	uint64_t dont_copy_pages;  /* of the regions that a copy will lack */
	struct pidmem_walk *saver; /* through the target, opened before the pause */
	struct kept kept;
	uint64_t shared_paused, shared_after;

	struct stopped_threads *threads; /* NULL until they are asked for */
	uint64_t stops_us[STOPS];
	size_t stop_count;
};

struct pidmem_freeze {
	struct pidmem_freeze_options options;
	struct watch watch; /* of copying processes while they run */
	struct guard *guard;
	size_t guarded; /* processes that the guard knows */
	struct frozen **items;
	size_t count, capacity, given;
	char fallback[400]; /* for processes that are added later */
	uint64_t promised;  /* memory that the copies may take: headroom_has_memory() */
	bool again;         /* a second attempt, by pre-copy: see freeze_try_precopy() */
	bool anew;          /* a second attempt of any kind */
	unsigned waits;     /* so often a stop was given up for a parent that waits in vfork(2) */
	bool makes_way;     /* long work is done in the background */
	bool little;        /* it should not be long */
	bool held;          /* something is stopped */
	bool released;
};

/* Do work that nobody has stopped for. */
void freeze_do(const struct pidmem_freeze *freeze, void (*job)(void *), void *argument);
/* Add a process: 0, or -ENOMEM and the handle is still the caller's. */
int freeze_add(struct pidmem_freeze *freeze, struct pidmem_process *process, bool owned, struct pidmem_error *error);
/* Take one out again. */
void freeze_remove(struct pidmem_freeze *freeze, size_t index);
/* Do something for each process, until it fails: 0, or -errno. A descendant that is lost by then, because it has ended
 * or called exec, is taken out. */
int freeze_each(struct pidmem_freeze *freeze, int (*work)(struct frozen *, struct pidmem_error *),
		struct pidmem_error *error);
/* Note a stop of so many microseconds; 0: there was none. */
void frozen_add_stop(struct frozen *frozen, uint64_t stop_us);
struct pidmem_source *frozen_source(const struct frozen *frozen);
/* Its threads as they were stopped; NULL if it was not. */
int frozen_threads(struct frozen *frozen, struct pidmem_error *error, const struct stopped_threads **threads);

/* Signals that would stop or end this program have to wait while something is stopped, so that nobody can lengthen that
 * from outside. */
void freeze_block_signals(sigset_t *before);
void freeze_restore_signals(const sigset_t *before);
/* How long to wait for threads that do not stop. */
unsigned freeze_patience_ms(const struct pidmem_freeze *freeze);

/* Before anything is stopped: find the descendants that there are, and get all ready. */
int freeze_prepare(struct pidmem_freeze *freeze, struct pidmem_error *error);
/* Stop all processes that are not to be read live, and their descendants if wanted. */
int freeze_stop(struct pidmem_freeze *freeze, struct pidmem_error *error);
/* Copy what can be copied while it runs. */
int freeze_precopy(struct pidmem_freeze *freeze, struct pidmem_error *error);
/* No copy by clone could be made of one process: are all that were to be copied so to be copied while they run instead?
 * Then everything is to be started again. */
bool freeze_try_precopy(struct pidmem_freeze *freeze, const struct frozen *failed, const char *reason);
/* Stop, copy where copies are wanted and possible, resume then, and open the sources. 1: nothing of it, but everything
 * is to be done again, in another way. */
int freeze_take_moment(struct pidmem_freeze *freeze, struct pidmem_error *error);
bool freeze_wants_copies(const struct pidmem_freeze *freeze);
/* Let all run on that are stopped, and note how long that was. */
int freeze_resume(struct pidmem_freeze *freeze, struct pidmem_error *error);
/* End the copies, and note the stops that it takes. */
int freeze_reap(struct pidmem_freeze *freeze, struct pidmem_error *error);
/* Let everything go and begin with a new guard; what has been stopped is noted. */
int freeze_start_again(struct pidmem_freeze *freeze, struct pidmem_error *error);
/* The same, without what was copied and tracked so far. */
int freeze_start_anew(struct pidmem_freeze *freeze, struct pidmem_error *error);

/* How many bytes of a region will be asked for, if it turns out to have content. */
uint64_t pause_wants(const struct frozen *frozen, const struct pidmem_region *region);
/* Get ready: list the regions with their flags, choose what will be saved, get the room for it. */
int pause_prepare(struct frozen *frozen, struct pidmem_error *error);
/* The target stands still and the copy is made: save what that does not hold. */
int pause_save(struct frozen *frozen, struct pidmem_error *error);
/* Has other shared memory come since it was listed? Then that is chosen from as well. Where it is unclear what to do
 * with it, all is listed again, which takes long. */
int pause_check_shared(struct frozen *frozen, struct pidmem_error *error);
/* To be saved as well, `bytes` of it, if there is room for it: 0 or -ENOMEM. */
int pause_add_candidate(struct frozen *frozen, const struct pidmem_region *region, uint64_t bytes, bool dont_copy);
/* Leave the shared memory to later that is too much for the pause; the others are in the order of their addresses. */
void pause_cut_shared(struct frozen *frozen);
/* The walk by which it is saved, if it is not open yet. Errors: of pidmem_walk_open(). */
int pause_open_saver(struct frozen *frozen, struct pidmem_error *error);
/* The part of it that is the same for all: what was chosen. */
int pause_save_chosen(struct frozen *frozen, struct pidmem_error *error);
/* The target runs on: open the source on the copy. */
int pause_finish(struct frozen *frozen, struct pidmem_error *error);

/* The source of a snapshot is opened: tie it to the rest. The regions are owned by it from now on. */
void pause_attach(struct frozen *frozen, struct pidmem_maps *maps);

/* Can the process not be stopped at all? Then it is read live, or that is the failure. Returns 0 or -errno. */
int fall_back_from_stop(struct frozen *frozen, struct pidmem_error *error);
void fall_back_to_live(struct frozen *frozen, const char *reason);
/* Find out what forbids a copy, before it is made: `no_copy`. *promised: see headroom_has_memory(). */
void check_copy(struct frozen *frozen, uint64_t *promised);
/* Making a copy failed, with this -errno: why, in a few words. */
void explain_no_copy(struct frozen *frozen, int failure, const struct pidmem_error *cause, char *reason, size_t size);
/* No snapshot of one process: all of the freeze are to be kept stopped instead, or that is the failure. */
int fall_back_from_snapshot(struct pidmem_freeze *freeze, const struct frozen *frozen, const char *reason,
			    struct pidmem_error *error);

#endif
