/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "writing.h"
#include "failure.h"
#include "moment.h"
#include "place.h"
#include "ui/size.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL 3 /* of zstd itself, if none is given */
#define LONGEST_SECONDS 31536000.0
#define HIGHEST_RATE 1048576.0 /* a TiB a second */
#define SUFFIX ".zst"

struct writing writing;

int writing_take_zstd(struct invocation *invocation, const char *argument)
{
	char *end;
	long level = argument ? strtol(argument, &end, 10) : LEVEL;

	(void)invocation;
	if (argument && (*end || argument[strspn(argument, "0123456789")] || level < 1 || level > PIDMEM_ZSTD_MOST)) {
		fail("-z: \"%s\" is not a level of compression", argument);
		hint("it is a number from 1 to %d, right behind -z: -z1", PIDMEM_ZSTD_MOST);
		return EXIT_FAILED;
	}
	writing.zstd = (int)level;
	return 0;
}

int writing_take_max_size(struct invocation *invocation, const char *argument)
{
	(void)invocation;
	if (size_parse(argument, &writing.max_size) && writing.max_size)
		return 0;
	fail("--max-size: \"%s\" is not a size", argument);
	hint("it is a number of bytes with K, M, G or T for 1024 and so on: 500M");
	return EXIT_FAILED;
}

/* Not what strtod(3) knows besides: signs, blanks, hex, "inf". */
static bool parse_number(const char *argument, double least, double most, double *number)
{
	char *end;

	*number = strtod(argument, &end);
	return !*end && !argument[strspn(argument, "0123456789.")] && *number >= least && *number <= most;
}

int writing_take_max_time(struct invocation *invocation, const char *argument)
{
	double seconds;

	(void)invocation;
	if (!parse_number(argument, 1e-3, LONGEST_SECONDS, &seconds)) {
		fail("--max-time: \"%s\" is not a number of seconds", argument);
		hint("it is more than 0, and may have decimals: 30, or 0.5");
		return EXIT_FAILED;
	}
	writing.max_time_us = (uint64_t)(seconds * 1e6);
	return 0;
}

int writing_take_rate(struct invocation *invocation, const char *argument)
{
	double rate;

	(void)invocation;
	if (!parse_number(argument, 1e-2, HIGHEST_RATE, &rate)) {
		fail("--rate: \"%s\" is not a number of MiB a second", argument);
		hint("it is more than 0, and may have decimals: 50, or 0.5");
		return EXIT_FAILED;
	}
	writing.rate = (uint64_t)(rate * (1 << 20));
	return 0;
}

int writing_check(const struct invocation *invocation, bool stream)
{
	const char *name = invocation->command->name;

	if (writing.partial && !writing.max_size && !writing.max_time_us) {
		fail("%s: --partial is for --max-size and --max-time", name);
		hint("give one of them, or leave it out");
		return EXIT_FAILED;
	}
	if (writing.partial && writing.max_size && stream && !writing.zstd) {
		fail("%s: zeros stand for what is left out, and in a pipe they take as much room", name);
		hint("compress it (-z), or write a file");
		return EXIT_FAILED;
	}
	return 0;
}

char *writing_name(const char *place)
{
	size_t length = strlen(place), suffix = strlen(SUFFIX);
	AUTO_TEXT directory = place_directory(place); /* none: a device or pipe */
	char *name;

	if (!writing.zstd || !directory || !strcmp(place, "-") ||
	    (length > suffix && !strcmp(place + length - suffix, SUFFIX)))
		return strdup(place);
	return asprintf(&name, "%s%s", place, SUFFIX) < 0 ? NULL : name;
}

void writing_begin(void)
{
	writing.begun_us = moment_clock();
}

bool writing_is_late(void)
{
	return writing.max_time_us && moment_clock() - writing.begun_us >= writing.max_time_us;
}

int fail_late(void)
{
	fail("not done in the time that was allowed, nothing was saved: %s", time_text(writing.max_time_us).text);
	hint("allow more with --max-time, or leave out regions with -R");
	return EXIT_FAILED;
}

uint64_t writing_time_left(void)
{
	uint64_t gone = moment_clock() - writing.begun_us;

	if (!writing.max_time_us)
		return 0;
	return gone < writing.max_time_us ? writing.max_time_us - gone : 1;
}

void writing_give_way(bool stands_still)
{
	struct pidmem_error error;

	if (!writing.nice)
		return;
	if (stands_still)
		warn("--nice is passed over: the process would stand still for longer");
	else if (pidmem_give_way(&error) < 0)
		warn("%s", error.text);
}
