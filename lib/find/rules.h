/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules of YARA. Whether one fits is known only when all memory has been looked at: so that is done first, by
 * libyara, over blocks that are read by our own walk, and the matches are told afterwards.
 */
#ifndef FIND_RULES_H
#define FIND_RULES_H

#include "find/find.h"

struct rules;
struct rules_scan;
struct YR_RULES;
struct yara;

/* rules.c, or rules_none.c where libyara was not there to build with. One more file of rules: 0 or -errno. */
int rules_add(struct rules **rules, const struct pidmem_pattern *given, struct pidmem_error *error);
size_t rules_count(const struct rules *rules);
void rules_free(struct rules *rules);

/* All are added: 0 or -errno. */
int rules_prepare(struct rules *rules, struct pidmem_error *error);
/* And libyara, to use them with. */
struct YR_RULES *rules_compiled(const struct rules *rules, const struct yara **yara);

/* rules_scan.c: the next match, as pidmem_find_next(). The first call looks at everything. */
int rules_scan_new(struct pidmem_find *find, struct rules *rules, struct pidmem_error *error);
int rules_scan_next(struct pidmem_find *find, struct pidmem_error *error, struct pidmem_match *match);
void rules_scan_free(struct rules_scan *scan);

#endif
