/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long the passes go on, and how quickly. Writing scattered pages into a file takes longer than reading them, and
 * meanwhile more is written to. So those of the first pass alone are written where they belong; what others copy is put
 * into a log, page after page, and once little is left, it is kept in memory: each pass takes hardly longer than
 * looking for what was written to.
 */
#include "source/precopy.h"

/* So much is kept in memory, of all processes together. The first pass that does it takes half: those that follow, and
 * the stop, should find room for theirs as well, since making some by writing is slow.
 */
#define MOST_ROOM (52ULL << 20)
#define ROOM (8ULL << 20)
/* So much goes to the log at once: one huge page. */
#define SPILL (2ULL << 20)

/* So much may be copied again and again, however small the process. */
#define LITTLE (256ULL << 20)

/* Copying so little takes no longer than stopping. */
#define FEW (128UL << 10)

static uint64_t share(const struct precopy *precopy)
{
	return MOST_ROOM / precopy->frozen->freeze->count;
}

/* Room is got before it is needed: meanwhile more is written to than a pass takes. */
static bool has_room(struct precopy *precopy)
{
	uint64_t room = 2 * precopy->copied + ROOM, most = share(precopy);

	if (precopy->recent.room > SPILL)
		return true;
	return precopy->passes > 1 && precopy->copied > FEW && precopy->copied <= 2 * most &&
	       page_pool_reserve(&precopy->recent, room < most ? room : most) == 0;
}

/* Without room for the pool, all goes into the store. */
static void end_first_pass(struct precopy *precopy)
{
	uint64_t room = share(precopy);

	precopy->whole = true;
	precopy->left = 2 * precopy->copied + LITTLE;
	if (room >= PRECOPY_BUFFER)
		page_pool_reserve(&precopy->recent, room < SPILL ? room : SPILL);
}

void precopy_end_pass(struct precopy *precopy)
{
	bool first_quick = precopy->quick == 1; /* it copied what was written to during a slow one */
	bool shrinks = precopy->copied <= precopy->before / 4 * 3;

	precopy->passes++;
	if (precopy->cut)
		return;
	if (!precopy->whole)
		end_first_pass(precopy);
	else
		precopy->left -= precopy->copied < precopy->left ? precopy->copied : precopy->left;
	precopy->stuck = first_quick || shrinks ? 0 : precopy->stuck + 1;
	precopy->least = precopy->copied < precopy->least ? precopy->copied : precopy->least;
	if (precopy->quick) {
		precopy->quick++;
	} else if (has_room(precopy) && precopy->copied <= share(precopy) / 2) {
		precopy->quick = 1;
		precopy->stuck = 0;
	}
}

/* More passes than these help only against a process that slows down. */
#define PASSES_MAX 30
/* Bytes that are copied in a microsecond, 1 GiB/s. */
#define COPIED_PER_US 1000

void precopy_hurry(struct precopy *precopy)
{
	precopy->hurried = true;
	precopy->stuck = 0;
}

bool precopy_is_ready(const struct precopy *precopy)
{
	/* A pass that was held up, or came upon much work, is no measure. */
	bool usual = precopy->copied <= precopy->least / 2 * 3;

	if (precopy->passes < 2 || !precopy->whole || precopy->cut)
		return false;
	return precopy->copied <= FEW || precopy->passes >= PASSES_MAX || precopy->left == 0 ||
	       (usual && precopy->stuck >= (precopy->quick ? 1 : 2));
}

uint64_t precopy_left_us(const struct precopy *precopy)
{
	return precopy->copied / COPIED_PER_US;
}
