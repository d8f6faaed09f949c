/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/buffer.h"
#include "base/error.h"
#include "pidmem.h"

#define WHYS 32
_Static_assert(PIDMEM_WHY_MAPPED_FILE < WHYS, "room for all reasons");

struct pidmem_account {
	struct pidmem_totals totals;
	struct pidmem_hole *holes;
	size_t count, capacity;
	struct {
		struct pidmem_reason sum;
		uint64_t end; /* of the last range */
	} reasons[WHYS];      /* of what is excluded; and from mapped files */
};

int pidmem_account_new(struct pidmem_error *error, struct pidmem_account **out)
{
	struct pidmem_account *account = calloc(1, sizeof *account);

	if (!account)
		return fail_memory(error);
	*out = account;
	return 0;
}

void pidmem_account_free(struct pidmem_account *account)
{
	if (!account)
		return;
	free(account->holes);
	free(account);
}

static int add_hole(struct pidmem_account *account, const struct pidmem_span *span, struct pidmem_error *error)
{
	struct pidmem_hole *last = account->count ? &account->holes[account->count - 1] : NULL;

	if (last && last->start + last->size == span->start && last->class_ == span->class_ && last->why == span->why) {
		last->size += span->size;
		return 0;
	}
	struct pidmem_hole *holes = array_grow(account->holes, account->count, &account->capacity, sizeof *holes);
	if (!holes)
		return fail_memory(error);
	account->holes = holes;
	holes[account->count++] = (struct pidmem_hole){ span->start, span->size, span->class_, span->why };
	return 0;
}

static void add_reason(struct pidmem_account *account, const struct pidmem_span *span)
{
	struct pidmem_reason *sum = &account->reasons[(unsigned)span->why % WHYS].sum;
	uint64_t *end = &account->reasons[(unsigned)span->why % WHYS].end;

	if (!sum->count)
		sum->first = span->start;
	sum->count += !sum->count || *end != span->start;
	sum->size += span->size;
	*end = span->start + span->size;
}

int pidmem_account_add(struct pidmem_account *account, const struct pidmem_span *span, struct pidmem_error *error)
{
	if (span->class_ == PIDMEM_NO_CONTENT || span->class_ == PIDMEM_UNREADABLE) {
		int result = add_hole(account, span, error);
		if (result < 0)
			return result;
	}
	if (span->class_ == PIDMEM_EXCLUDED || span->why == PIDMEM_WHY_MAPPED_FILE)
		add_reason(account, span);
	account->totals.total += span->size;
	account->totals.by_class[span->class_] += span->size;
	return 0;
}

const struct pidmem_totals *pidmem_account_totals(const struct pidmem_account *account)
{
	return &account->totals;
}

struct pidmem_reason pidmem_account_excluded(const struct pidmem_account *account, enum pidmem_why why)
{
	static const struct pidmem_reason none;

	return why == PIDMEM_WHY_MAPPED_FILE ? none : account->reasons[(unsigned)why % WHYS].sum;
}

struct pidmem_reason pidmem_account_mapped(const struct pidmem_account *account)
{
	return account->reasons[PIDMEM_WHY_MAPPED_FILE].sum;
}

size_t pidmem_account_hole_count(const struct pidmem_account *account)
{
	return account->count;
}

const struct pidmem_hole *pidmem_account_hole(const struct pidmem_account *account, size_t index)
{
	return index < account->count ? &account->holes[index] : NULL;
}
