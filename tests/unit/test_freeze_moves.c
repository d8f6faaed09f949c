/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What changes between a list of all regions and what is done by it. No mapping is split: mremap(2) of one in two parts
 * fails. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "obedient.h"
#include "process/backing.h"
#include "process/maps.h"
#include "source/freeze.h"
#include "source/precopy.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 8
#endif

#define PAGE 4096UL
#define PAGES 40UL
#define HALF (PAGES / 2 * PAGE)
#define ROOM (3 * PAGES * PAGE)

/* In a free room: PAGES of memory, from `place` on. */
static char *place, *other;
static struct obedient child;
static struct pidmem_freeze *freeze, *second;

static char put(char *at, size_t pages)
{
	if (mmap(at, pages * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_FIXED | MAP_PRIVATE, -1, 0) != at)
		return '-';
	for (size_t i = 0; i < pages; i++)
		at[i * PAGE] = 'x';
	return 'x';
}

static char obey(char order)
{
	switch (order) {
	case 'h':
		return mprotect(place + HALF, HALF, PROT_READ) ? '-' : 'x';
	case 'p': /* over the border between the halves; the rest of the second one stays as it is */
		return munmap(place, 10 * PAGE) ? '-' : put(place + 10 * PAGE, 20);
	case 'm': /* one mapping */
		return mremap(place + 10 * PAGE, 20 * PAGE, 30 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED ? '-' : 'x';
	case 'd':
		return mmap(other, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_FIXED | MAP_DROPPABLE, -1,
			    0) == MAP_FAILED
			       ? '-'
			       : 'x';
	case 'n': /* new memory, and something new in it */
		return put(other, PAGES);
	case 'y':
		memset(other, 'y', PAGE);
		return 'x';
	case 's':
		return mmap(other, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_FIXED | MAP_SHARED, -1,
			    0) == MAP_FAILED
			       ? '-'
			       : 'x';
	case 'c': /* one mapping is two for a moment, and then one again */
		return mprotect(other, HALF, PROT_READ) ? '-' : 'x';
	case 'j':
		return mprotect(other, HALF, PROT_READ | PROT_WRITE) ? '-' : 'x';
	}
	return '-';
}

static void begin(void)
{
	if (put(place, PAGES) == '-')
		_exit(1);
}

static int start(void **state)
{
	(void)state;
	place = mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	other = place + 2 * PAGES * PAGE;
	return place == MAP_FAILED ? -1 : obedient_start(&child, begin, obey);
}

static int stop(void **state)
{
	(void)state;
	pidmem_freeze_close(take(freeze));
	pidmem_freeze_close(take(second));
	obedient_stop(&child);
	return munmap(place, ROOM);
}

static struct pidmem_freeze *begin_one(void)
{
	struct pidmem_freeze *one = calloc(1, sizeof *one);

	one->options.consistency = PIDMEM_SNAPSHOT;
	one->options.engine = PIDMEM_ENGINE_PRECOPY;
	one->options.directory = "/tmp";
	obedient_freeze(one, &child, 1);
	return one;
}

static struct precopy *make_passes(void)
{
	freeze = begin_one();
	if (!freeze->items[0]->precopy) /* before Linux 6.7 */
		skip();
	return freeze->items[0]->precopy;
}

/* The process has gone on since the list; returned is the one that came before it. */
static struct pidmem_maps *list_then_put(struct precopy *precopy)
{
	struct pidmem_maps *before = precopy->maps;

	assert_int_equal(obedient_order(&child, 'h'), 'x');
	assert_int_equal(pidmem_maps_read(child.process, 0, NULL, &precopy->maps), 0);
	assert_int_equal(pidmem_maps_find(precopy->maps, (uintptr_t)place + HALF)->start, (uintptr_t)place + HALF);
	assert_int_equal(obedient_order(&child, 'p'), 'x');
	return before;
}

static void asking(void **state)
{
	(void)state;
	struct precopy *precopy = make_passes();
	AUTO_MAPS before = list_then_put(precopy);

	assert_int_equal(precopy_find_taken(precopy, before, false), 0);
	assert_int_equal(precopy_find_taken(precopy, precopy->maps, true), 0);
	assert_int_equal(obedient_order(&child, 'm'), 'x');
}

/* One that cannot be tracked does not make the others be tracked one by one. */
static void droppable(void **state)
{
	(void)state;
	if (obedient_order(&child, 'd') == '-') /* before Linux 6.11 */
		skip();
	struct precopy *precopy = make_passes();
	AUTO_MAPS before = list_then_put(precopy);
	AUTO_FREE bool *wanted = calloc(precopy->maps->count, sizeof *wanted);

	assert_int_equal(precopy_find_taken(precopy, before, false), 0);
	wanted[pidmem_maps_find(precopy->maps, (uintptr_t)place + HALF) - precopy->maps->regions] = true;
	assert_int_equal(precopy_track(precopy, wanted), 0);
	assert_int_equal(obedient_order(&child, 'm'), 'x');
	assert_false(precopy->rival);
	assert_true(precopy_is_foreign(precopy, pidmem_maps_find(precopy->maps, (uintptr_t)other)));
}

/* One page has been written to since both began to look, the next one has not. */
static void assert_right(struct pidmem_freeze *of)
{
	unsigned char bytes[PAGE + 1];
	struct pidmem_source *source;

	assert_int_equal(freeze_take_moment(of, NULL), 0);
	assert_non_null(source = pidmem_freeze_source(of, 0));
	assert_int_equal(pidmem_source_read(source, (uintptr_t)other, bytes, sizeof bytes, NULL, NULL), sizeof bytes);
	assert_int_equal(bytes[0], 'y');
	assert_int_equal(bytes[PAGE], 'x');
}

static void track_by(struct pidmem_freeze *of)
{
	const struct tracker *tracker = &of->items[0]->precopy->tracker;
	struct tracker_range range = { .start = (uintptr_t)other, .end = (uintptr_t)other + PAGES * PAGE };
	struct page_region run;

	assert_int_equal(tracker_add(tracker, range.start, PAGES * PAGE), 0);
	assert_int_equal(tracker_list(tracker, TRACKER_EXISTING, &range, &run, 1, PAGES * PAGE), 1);
}

/* New memory, which only one of two that copy the process has registered: both look at what was written to it. */
static void two_at_once(bool of_second)
{
	struct precopy *precopy = make_passes();

	assert_int_equal(obedient_order(&child, 'n'), 'x');
	second = begin_one();
	if (of_second)
		track_by(second);
	assert_int_equal(obedient_order(&child, 'y'), 'x');
	for (int i = 0; i < 2; i++)
		assert_int_equal(precopy_pass(precopy, NULL), 0);
	assert_right(freeze);
	assert_right(second);
}

static void two_at_once_first(void **state)
{
	(void)state;
	two_at_once(false);
}

static void two_at_once_second(void **state)
{
	(void)state;
	two_at_once(true);
}

/* The file of shared memory is opened by its mapping. What failed for a moment is tried again. */
static void opening(void **state)
{
	struct backings backings = { 0 }, control = { 0 };
	struct pidmem_maps *maps;

	(void)state;
	assert_int_equal(obedient_order(&child, 's'), 'x');
	assert_int_equal(pidmem_maps_read(child.process, 0, NULL, &maps), 0);
	const struct pidmem_region *region = pidmem_maps_find(maps, (uintptr_t)other);
	enum backing_state undisturbed = backing_of(&control, child.process, region)->state;
	assert_int_equal(obedient_order(&child, 'c'), 'x');
	enum backing_state cut = backing_of(&backings, child.process, region)->state;
	assert_int_equal(obedient_order(&child, 'j'), 'x');
	enum backing_state joined = backing_of(&backings, child.process, region)->state;
	backings_done(&control);
	backings_done(&backings);
	pidmem_maps_free(maps);
	if (undisturbed != BACKING_OPEN) /* it takes a right */
		skip();
	assert_int_equal(cut, BACKING_UNREACHABLE);
	assert_int_equal(joined, BACKING_OPEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(asking, start, stop),
		cmocka_unit_test_setup_teardown(droppable, start, stop),
		cmocka_unit_test_setup_teardown(two_at_once_first, start, stop),
		cmocka_unit_test_setup_teardown(two_at_once_second, start, stop),
		cmocka_unit_test_setup_teardown(opening, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
