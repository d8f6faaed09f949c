/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long the passes go on, and how quickly. Writing scattered pages into a file takes four times as long as reading
 * them, and meanwhile more is written to. So once little is left, it is kept in memory until after the stop, and each
 * pass takes hardly longer than looking for what was written to.
 */
#include "source/precopy.h"

/* So little is kept in memory, and room for more of it in the passes that follow. */
#define LITTLE (20ULL << 20)
#define ROOM (4ULL << 20)

void precopy_set_pace(struct precopy *precopy)
{
	bool quick = precopy->quick > 0;

	if (!quick && precopy->passes > 1 && precopy->copied <= LITTLE)
		quick = page_pool_reserve(&precopy->recent, 2 * precopy->copied + ROOM) == 0;
	precopy->quick += quick;
	if (precopy->passes < 2 || precopy->copied < precopy->least)
		precopy->least = precopy->copied;
}

/* More passes than these help only against a process that slows down. */
#define PASSES_MAX 30
/* Copying so little takes no longer than stopping. */
#define FEW (128UL << 10)
/* Bytes that are copied in a microsecond, 1 GiB/s. */
#define COPIED_PER_US 1000

bool precopy_is_ready(const struct precopy *precopy)
{
	if (precopy->passes < 2)
		return false;
	if (precopy->copied <= FEW || precopy->passes >= PASSES_MAX)
		return true;
	/* Passes that were held up, or came upon much work, are no measure. */
	if (precopy->copied > precopy->least / 2 * 3)
		return false;
	/* The first quick pass copies what was written to during a slow one. */
	bool gets_quicker = precopy->quick == 0 ? precopy->copied <= LITTLE : precopy->quick == 1;
	return precopy->passes > 2 && !gets_quicker && precopy->copied > precopy->before / 4 * 3;
}

uint64_t precopy_left_us(const struct precopy *precopy)
{
	return precopy->copied / COPIED_PER_US;
}
