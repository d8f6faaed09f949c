/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In place of rules.c, rules_blocks.c and rules_scan.c where there is no libyara. */
#include <errno.h>

#include "base/error.h"
#include "find/rules.h"

int rules_add(struct rules **rules, const struct pidmem_pattern *given, struct pidmem_error *error)
{
	(void)rules;
	(void)given;
	return with_hint(error, fail(error, PIDMEM_UNSUPPORTED, ENOTSUP, "this pidmem was built without YARA"),
			 "build it where libyara is installed (Debian: libyara-dev), with -Dyara=enabled");
}

size_t rules_count(const struct rules *rules)
{
	(void)rules;
	return 0;
}

void rules_free(struct rules *rules)
{
	(void)rules;
}

int rules_prepare(struct rules *rules, struct pidmem_error *error)
{
	return rules_add(&rules, NULL, error);
}

int rules_scan_new(struct pidmem_find *find, struct rules *rules, struct pidmem_error *error)
{
	(void)find;
	return rules_add(&rules, NULL, error);
}

int rules_scan_next(struct pidmem_find *find, struct pidmem_error *error, struct pidmem_match *match)
{
	(void)find;
	(void)match;
	return rules_add(NULL, NULL, error);
}

void rules_scan_free(struct rules_scan *scan)
{
	(void)scan;
}
