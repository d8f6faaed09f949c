/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A search, from inside: all of memory, or the places of earlier matches. */
#ifndef FIND_FIND_H
#define FIND_FIND_H

#include "find/scanner.h"
#include "find/stream.h"
#include "sink/watch.h"
#include "source/source.h"

struct save;
struct refine;
struct rules_scan;

struct pidmem_find {
	struct pidmem_source *source;
	struct pidmem_find_options options;
	struct pidmem_account *account;
	struct pidmem_walk *walk;
	struct watch watch;
	struct scanner scanner;
	struct stream stream;
	size_t ahead, behind; /* what matches depend on, and their context */
	struct pidmem_span span;
	bool pending; /* `span` waits until the run before it is done */
	bool ended;   /* there is no more span */
	bool done;
	uint64_t accounted; /* the first address that is not in the account yet */
	bool accounted_all; /* it is 2^64 */
	uint64_t found;
	enum pidmem_value_type type; /* of what is found */
	struct refine *refine;       /* NULL: all is looked at */
	struct rules_scan *rules;    /* NULL: there are none */
	struct save *save;           /* NULL: nothing is saved */
};

/* Put a span into the account, but for what is in it already. 0, or -errno (PIDMEM_CANCELLED as well). */
int find_account(struct pidmem_find *find, const struct pidmem_span *span, struct pidmem_error *error);
/* What lies between the account's end and an address, or with `all` up to 2^64, is not looked at. 0 or -ENOMEM. */
int find_pass(struct pidmem_find *find, uint64_t to, bool all, struct pidmem_error *error);
/* Describe what stands at `at` of a window. */
void find_describe(const struct pidmem_find *find, const struct window *window, size_t at, size_t size,
		   struct pidmem_match *match);

/* refine.c: 0 or -errno; the next one as pidmem_find_next(). */
int refine_open(struct pidmem_find *find, struct pidmem_error *error);
int refine_next(struct pidmem_find *find, struct pidmem_error *error, struct pidmem_match *match);
void refine_close(struct refine *refine);
enum pidmem_value_type refine_type(const struct refine *refine);

/* save.c */
int save_open(const struct pidmem_find_options *options, enum pidmem_value_type type, struct pidmem_error *error,
	      struct save **save);
int save_match(struct save *save, const struct pidmem_match *match, struct pidmem_error *error);
int save_finish(struct save *save, struct pidmem_error *error);
void save_close(struct save *save);

#endif
