/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens to the memory that a copy lacks after it was listed, and before the target is stopped. */
#include "unit.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "obedient.h"
#include "process/process.h"
#include "source/freeze.h"

#define PAGE 4096UL
#define SIZE (4 * PAGE)

/* All are listed before anything was written to them. */
enum { DONTFORK, WIPED, DONTFORK_ZEROED, UNTOUCHED, UNWANTED, WIPED_LATE, REGIONS };
static unsigned char *regions[REGIONS];
static struct obedient child;
static struct pidmem_freeze *freeze;

static char obey(char order)
{
	if (order == 'w') {
		regions[DONTFORK][0] = regions[WIPED][0] = regions[UNWANTED][0] = 'x';
		((volatile unsigned char *)regions[DONTFORK_ZEROED])[0] = 0;
	} else {
		regions[WIPED_LATE][0] = 'x';
		madvise(regions[WIPED_LATE], SIZE, MADV_WIPEONFORK);
	}
	return 'x';
}

static void begin(void)
{
	madvise(regions[DONTFORK], SIZE, MADV_DONTFORK);
	madvise(regions[DONTFORK_ZEROED], SIZE, MADV_DONTFORK);
	madvise(regions[UNTOUCHED], SIZE, MADV_DONTFORK);
	madvise(regions[UNWANTED], SIZE, MADV_DONTFORK);
	madvise(regions[UNWANTED], SIZE, MADV_DONTDUMP);
	madvise(regions[WIPED], SIZE, MADV_WIPEONFORK);
}

static int start(void **state)
{
	(void)state;
	for (int i = 0; i < REGIONS; i++) { /* pages around each, so that none is merged with another */
		regions[i] = mmap(NULL, SIZE + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (regions[i] == MAP_FAILED || mprotect(regions[i] += PAGE, SIZE, PROT_READ | PROT_WRITE) < 0)
			return -1;
	}
	return obedient_start(&child, begin, obey);
}

static int stop(void **state)
{
	(void)state;
	pidmem_freeze_close(take(freeze));
	obedient_stop(&child);
	for (int i = 0; i < REGIONS; i++)
		munmap(regions[i] - PAGE, SIZE + 2 * PAGE);
	return 0;
}

/* A snapshot for a core file, with an order in between. */
static struct pidmem_source *freeze_around(char what)
{
	freeze = calloc(1, sizeof *freeze);
	freeze->options.consistency = PIDMEM_SNAPSHOT;
	freeze->options.core = true;
	freeze->options.filter = PIDMEM_CORE_FILTER | 0x33;
	freeze->given = 1;
	assert_int_equal(freeze_add(freeze, child.process, false, NULL), 0);
	assert_int_equal(guard_start(NULL, &freeze->guard), 0);
	assert_int_equal(freeze_prepare(freeze, NULL), 0);
	obedient_order(&child, what);
	assert_int_equal(freeze_take_moment(freeze, NULL), 0);
	return pidmem_freeze_source(freeze, 0);
}

static struct pidmem_account *write_core(struct pidmem_source *source)
{
	struct pidmem_core_options options = PIDMEM_INIT(options);
	struct pidmem_core_report report = PIDMEM_INIT(report);
	AUTO_FD nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct pidmem_account *account;

	options.fd = nowhere;
	assert_int_equal(pidmem_account_new(NULL, &account), 0);
	assert_int_equal(pidmem_core(source, &options, account, NULL, &report), 0);
	return account;
}

static struct pidmem_span at(struct pidmem_source *source, int region)
{
	struct pidmem_walk *walk;
	struct pidmem_span span;

	assert_int_equal(pidmem_walk_open(source, (uintptr_t)regions[region], SIZE, 0, NULL, &walk), 0);
	assert_int_equal(pidmem_walk_next(walk, NULL, &span), 1);
	if (span.class_ == PIDMEM_READ)
		assert_int_equal(span.bytes[0], 'x');
	pidmem_walk_close(walk);
	return span;
}

static uint64_t written(struct pidmem_source *source, int region)
{
	return pidmem_maps_find(pidmem_source_maps(source), (uintptr_t)regions[region])->usage->anonymous;
}

static void first_written_late(void **state)
{
	struct pidmem_source *source = freeze_around('w');

	(void)state;
	assert_int_equal(at(source, DONTFORK).class_, PIDMEM_READ);
	assert_int_equal(at(source, WIPED).class_, PIDMEM_READ);
	assert_int_equal(at(source, DONTFORK_ZEROED).class_, PIDMEM_ZERO);
	assert_int_equal(at(source, UNTOUCHED).class_, PIDMEM_ZERO);
	assert_int_equal(at(source, UNWANTED).why, PIDMEM_WHY_NOT_COPIED);
	/* The kernel's cores have the whole of a region that was written to, and nothing of an untouched one. */
	assert_int_equal(written(source, DONTFORK), PAGE);
	assert_int_equal(written(source, WIPED), PAGE);
	assert_int_equal(written(source, DONTFORK_ZEROED), PAGE);
	assert_int_equal(written(source, UNTOUCHED), 0);

	struct pidmem_account *account = write_core(source);
	assert_int_equal(pidmem_account_totals(account)->by_class[PIDMEM_UNREADABLE], 0);
	pidmem_account_free(account);
}

/* Nothing tells of it until the copy is made: then it is too late to save what was there, and not to say so. */
static void wiped_late(void **state)
{
	struct pidmem_source *source = freeze_around('m');

	(void)state;
	assert_int_equal(at(source, WIPED_LATE).class_, PIDMEM_UNREADABLE);
	assert_int_equal(at(source, WIPED_LATE).why, PIDMEM_WHY_NOT_COPIED);
	struct pidmem_account *account = write_core(source);
	assert_int_equal(pidmem_account_totals(account)->by_class[PIDMEM_UNREADABLE], SIZE);
	pidmem_account_free(account);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(first_written_late, start, stop),
		cmocka_unit_test_setup_teardown(wiped_late, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
