/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pausing.h"
#include "failure.h"
#include "ui/size.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_MS 3600000.0

static struct {
	const char *engine, *max_pause, *shared; /* as they were written; NULL: not given */
	enum pidmem_engine how;
	uint64_t max_pause_us;
	enum pidmem_shared when;
	uint64_t shared_limit;
} given_;

int pausing_take_engine(struct invocation *invocation, const char *argument)
{
	static const struct {
		const char *name;
		enum pidmem_engine engine;
	} engines[] = {
		{ "auto", PIDMEM_ENGINE_NONE },
		{ "precopy", PIDMEM_ENGINE_PRECOPY },
		{ "clone", PIDMEM_ENGINE_CLONE },
	};

	(void)invocation;
	given_.engine = argument;
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		given_.how = engines[i].engine;
		if (!strcmp(argument, engines[i].name))
			return 0;
	}
	fail("--engine: there is no choice \"%s\"", argument);
	hint("it is one of auto, precopy, clone");
	return EXIT_FAILED;
}

int pausing_take_max_pause(struct invocation *invocation, const char *argument)
{
	char *end;
	double number = strtod(argument, &end);

	(void)invocation;
	given_.max_pause = argument;
	/* Not what strtod(3) knows besides: signs, blanks, hex, "inf". Less than a microsecond would mean "no limit".
	 */
	if (*end || argument[strspn(argument, "0123456789.")] || !(number >= 0.001) || number > LONGEST_MS) {
		fail("--max-pause: \"%s\" is not a number of milliseconds", argument);
		hint("it is at least 0.001, and may have decimals: 5, or 0.5");
		return EXIT_FAILED;
	}
	given_.max_pause_us = (uint64_t)(number * 1000);
	return 0;
}

int pausing_take_shared(struct invocation *invocation, const char *argument)
{
	static const char *const names[] = {
		[PIDMEM_SHARED_AUTO] = "auto",
		[PIDMEM_SHARED_PAUSED] = "paused",
		[PIDMEM_SHARED_AFTER] = "after",
	};

	(void)invocation;
	given_.shared = argument;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		given_.when = (enum pidmem_shared)i;
		if (!strcmp(argument, names[i]))
			return 0;
	}
	fail("--shared: there is no choice \"%s\"", argument);
	hint("it is one of auto, paused, after");
	return EXIT_FAILED;
}

int pausing_take_shared_limit(struct invocation *invocation, const char *argument)
{
	(void)invocation;
	if (size_parse(argument, &given_.shared_limit) && given_.shared_limit)
		return 0;
	fail("--shared-limit: \"%s\" is not a size", argument);
	hint("it is a number of bytes with K, M, G or T for 1024 and so on: 64M; for none there is --shared=after");
	return EXIT_FAILED;
}

int pausing_check(const struct invocation *invocation)
{
	const char *name = given_.engine         ? "--engine"
			   : given_.max_pause    ? "--max-pause"
			   : given_.shared       ? "--shared"
			   : given_.shared_limit ? "--shared-limit"
						 : NULL;

	if (given_.shared_limit && given_.when != PIDMEM_SHARED_AUTO) {
		fail("%s: --shared-limit is for --shared=auto", invocation->command->name);
		hint("use one of the two");
		return EXIT_FAILED;
	}
	if (name && invocation->consistency_given && invocation->consistency != PIDMEM_SNAPSHOT) {
		fail("%s: %s is for snapshots: it has no meaning with --consistency=%s", invocation->command->name,
		     name, pidmem_consistency_name(invocation->consistency));
		hint("use --consistency=snapshot, or leave it out");
		return EXIT_FAILED;
	}
	return 0;
}

bool pausing_engine_given(void)
{
	return given_.how != PIDMEM_ENGINE_NONE;
}

bool pausing_limited(void)
{
	return given_.max_pause != NULL;
}

void pausing_apply(struct pidmem_freeze_options *how)
{
	how->engine = given_.how;
	how->max_pause_us = given_.max_pause_us;
	how->shared = given_.when;
	how->shared_limit = given_.shared_limit;
}
