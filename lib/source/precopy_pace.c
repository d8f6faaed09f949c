/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long the passes go on, and how quickly. Writing scattered pages into a file takes four times as long as reading
 * them, and meanwhile more is written to. So once little is left, it is kept in memory until after the stop, and each
 * pass takes hardly longer than looking for what was written to.
 */
#include "source/precopy.h"

/* So little is kept in memory. The passes that follow, and the stop, should find room for theirs as well: making some
 * by writing is slow.
 */
#define LITTLE (28ULL << 20)
#define ROOM (8ULL << 20)
#define MOST_ROOM (52ULL << 20)

/* Copying so little takes no longer than stopping. */
#define FEW (128UL << 10)

/* Room is got before it is needed: meanwhile more is written to than a pass takes. */
static bool has_room(struct precopy *precopy)
{
	uint64_t room = 2 * precopy->copied + ROOM;

	return precopy->recent.room || (precopy->passes > 1 && precopy->copied > FEW && precopy->copied <= 3 * LITTLE &&
					page_pool_reserve(&precopy->recent, room < MOST_ROOM ? room : MOST_ROOM) == 0);
}

void precopy_end_pass(struct precopy *precopy)
{
	bool first_quick = precopy->quick == 1; /* it copied what was written to during a slow one */
	bool shrinks = precopy->copied <= precopy->before / 4 * 3;

	precopy->passes++;
	precopy->stuck = first_quick || shrinks ? 0 : precopy->stuck + 1;
	precopy->least = precopy->copied < precopy->least ? precopy->copied : precopy->least;
	if (precopy->quick) {
		precopy->quick++;
	} else if (has_room(precopy) && precopy->copied <= LITTLE) {
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
	precopy->stuck = 0;
}

bool precopy_is_ready(const struct precopy *precopy)
{
	/* A pass that was held up, or came upon much work, is no measure. */
	bool usual = precopy->copied <= precopy->least / 2 * 3;

	if (precopy->passes < 2)
		return false;
	return precopy->copied <= FEW || precopy->passes >= PASSES_MAX ||
	       (usual && precopy->stuck >= (precopy->quick ? 1 : 2));
}

uint64_t precopy_left_us(const struct precopy *precopy)
{
	return precopy->copied / COPIED_PER_US;
}
