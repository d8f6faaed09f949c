/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/progress.h"
#include "ui/size.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000)

static uint64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec / 1000;
}

void progress_begin(struct progress *progress, const struct invocation *invocation)
{
	bool always = invocation->progress == WHEN_ALWAYS;

	memset(progress, 0, sizeof(*progress));
	progress->clock = monotonic;
	progress->terminal = isatty(STDERR_FILENO);
	progress->off = invocation->quiet || invocation->progress == WHEN_NEVER || !(always || progress->terminal);
	progress->delay = always ? 0 : SECOND / 2;
	progress->interval = progress->terminal ? SECOND / 10 : SECOND;
	progress->begun = progress->clock();
}

/* Whole seconds: more is not known of what is to come. */
static struct size_text seconds_text(double seconds)
{
	uint64_t whole = (uint64_t)seconds + 1;
	struct size_text text;

	if (whole < 100)
		snprintf(text.text, sizeof(text.text), "%" PRIu64 " s", whole);
	else
		text = time_text(whole * SECOND);
	return text;
}

static void draw(const struct progress *progress, uint64_t done, uint64_t expected, uint64_t elapsed)
{
	unsigned percent = expected ? (unsigned)((double)done / (double)expected * 100) : 100;
	uint64_t rate = elapsed ? (uint64_t)((double)done / (double)elapsed * (double)SECOND) : 0;

	fprintf(stderr, "%s%3u%%  %s of %s, %s/s", progress->terminal ? "\r" : "", percent > 100 ? 100 : percent,
		size_text(done).text, size_text(expected).text, size_text(rate).text);
	if (rate && expected > done)
		fprintf(stderr, ", %s left", seconds_text((double)(expected - done) / (double)rate).text);
	fputs(progress->terminal ? "\033[K" : "\n", stderr);
	fflush(stderr);
}

void progress_update(struct progress *progress, uint64_t done, uint64_t expected)
{
	uint64_t now;

	if (!progress || progress->off)
		return;
	now = progress->clock();
	if (now - progress->begun < progress->delay || (progress->shown && now - progress->drawn < progress->interval))
		return;
	draw(progress, done, expected, now - progress->begun);
	progress->drawn = now;
	progress->shown = true;
}

void progress_end(struct progress *progress, uint64_t total)
{
	if (!progress || progress->off || (progress->delay && !progress->shown))
		return;
	if (progress->terminal)
		fputs("\r\033[K", stderr);
	else if (total)
		draw(progress, total, total, progress->clock() - progress->begun);
	fflush(stderr);
}
