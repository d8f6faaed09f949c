/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is mapped between the list of all regions, which takes long, and the stop. */
#include "unit.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "obedient.h"
#include "process/maps.h"
#include "process/process.h"
#include "source/freeze.h"
#include "source/precopy.h"

#define PAGE 4096UL
#define SIZE (4 * PAGE)
#define LARGE (8UL << 20) /* more than is saved in the pause */
#define ROOM (LARGE + 2 * SIZE)

/* Places apart from each other: shared memory, and private memory not to be dumped, that are listed, and free room. */
enum { LISTED, PRIVATE, FREE, PLACES };
static unsigned char *places[PLACES];
static struct obedient child;
static struct pidmem_freeze *freeze;
static const struct pidmem_maps *listed;

static void put(unsigned char *at, size_t size, int flags, unsigned char letter)
{
	if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0) != at)
		_exit(1);
	for (size_t i = 0; i < size; i += PAGE)
		at[i] = letter;
}

/* Not memory: what a device might map. */
static char put_device(unsigned char *at)
{
	struct perf_event_attr what = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof what,
					.config = PERF_COUNT_SW_CPU_CLOCK };
	int fd = (int)syscall(SYS_perf_event_open, &what, 0, -1, -1, 0);

	return fd >= 0 && mmap(at, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == at ? 'x' : '-';
}

static char obey(char order)
{
	switch (order) {
	case 'p': /* a thread starts... */
		put(places[FREE], PAGE, MAP_PRIVATE, 'p');
		break;
	case 'n':
		put(places[FREE], SIZE, MAP_SHARED, 'n');
		break;
	case 'l': /* and one that is not too much */
		put(places[FREE], LARGE, MAP_SHARED, 'n');
		put(places[LISTED] + SIZE + PAGE, PAGE, MAP_SHARED, 's');
		break;
	case 'd':
		put(places[FREE], SIZE, MAP_SHARED, 'n');
		madvise(places[FREE], SIZE, MADV_DONTDUMP);
		break;
	case 'u':
		munmap(places[LISTED], SIZE);
		put(places[FREE], SIZE, MAP_SHARED, 'n');
		break;
	case 'r':
		put(places[LISTED], SIZE, MAP_SHARED, 'n');
		break;
	case 'h': /* three of one */
		put(places[LISTED] + PAGE, PAGE, MAP_PRIVATE, 'h');
		break;
	case 'm':
		put(places[PRIVATE] + PAGE, PAGE, MAP_SHARED, 'n');
		break;
	case 'x':
		return put_device(places[FREE]);
	case 'w': /* 1: UFFD_USER_MODE_ONLY */
		return syscall(SYS_userfaultfd, O_CLOEXEC | 1) >= 0 ? 'x' : '-';
	default: /* it goes on, and changes what was to be saved */
		places[order - '0'][0] = 'z';
	}
	return 'x';
}

static void begin(void)
{
	put(places[LISTED], SIZE, MAP_SHARED, 'l');
	put(places[PRIVATE], SIZE, MAP_PRIVATE, 'v');
	madvise(places[PRIVATE], SIZE, MADV_DONTDUMP);
}

static void order(char what)
{
	if (obedient_order(&child, what) == '-') /* that takes a right, or a kernel that has it */
		skip();
}

static int start(void **state)
{
	(void)state;
	for (int i = 0; i < PLACES; i++) {
		places[i] = mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (places[i] == MAP_FAILED)
			return -1;
		places[i] += PAGE;
	}
	return obedient_start(&child, begin, obey);
}

static int stop(void **state)
{
	(void)state;
	pidmem_freeze_close(take(freeze));
	obedient_stop(&child);
	for (int i = 0; i < PLACES; i++)
		munmap(places[i] - PAGE, ROOM);
	return 0;
}

/* A snapshot for a core file, with an order between the list and the stop. */
static struct pidmem_source *freeze_around(enum pidmem_engine engine, char what)
{
	struct pidmem_error error;

	freeze = calloc(1, sizeof *freeze);
	freeze->options.consistency = PIDMEM_SNAPSHOT;
	freeze->options.engine = engine;
	freeze->options.directory = engine == PIDMEM_ENGINE_PRECOPY ? "." : NULL;
	freeze->options.core = true;
	freeze->options.filter = PIDMEM_CORE_FILTER | 0x33;
	obedient_freeze(freeze, &child, 1);
	if (engine == PIDMEM_ENGINE_PRECOPY && !freeze->items[0]->precopy) /* before Linux 6.7 */
		skip();
	listed = freeze->items[0]->live->maps;
	order(what);
	assert_int_equal(freeze_take_moment(freeze, &error), 0);
	assert_int_equal(freeze->items[0]->consistency, PIDMEM_SNAPSHOT);
	return pidmem_freeze_source(freeze, 0);
}

/* To list all takes 20 ms for each GiB of the process, and it waits for that. */
static bool was_listed_again(void)
{
	const struct pidmem_maps *now = freeze->items[0]->live->maps;

	return now != listed && now->under != listed;
}

static int letter(struct pidmem_source *source, const unsigned char *at)
{
	unsigned char byte;

	return pidmem_source_read(source, (uintptr_t)at, &byte, 1, NULL, NULL) == 1 ? byte : -1;
}

static uint32_t flags(struct pidmem_source *source, const unsigned char *at)
{
	return pidmem_maps_find(pidmem_source_maps(source), (uintptr_t)at)->usage->flags;
}

static struct pidmem_freeze_report report_of_it(void)
{
	struct pidmem_freeze_report report = PIDMEM_INIT(report);

	assert_int_equal(pidmem_freeze_describe(freeze, 0, NULL, &report), 0);
	return report;
}

/* What is saved is found by its address. */
static void assert_saved_once(void)
{
	const struct frozen *frozen = freeze->items[0];

	for (size_t i = 1; i < frozen->candidate_count; i++) {
		const struct pidmem_region *before = frozen->candidates[i - 1].region;
		assert_true(before->start + before->size <= frozen->candidates[i].region->start);
	}
}

static void private_memory(enum pidmem_engine engine)
{
	struct pidmem_source *source = freeze_around(engine, 'p');

	assert_ptr_equal(freeze->items[0]->live->maps, listed);
	assert_int_equal(letter(source, places[FREE]), 'p');
}

static void new_memory(enum pidmem_engine engine)
{
	struct pidmem_source *source = freeze_around(engine, 'n');

	assert_false(was_listed_again());
	order('0' + FREE);
	order('0' + LISTED);
	assert_int_equal(letter(source, places[FREE]), 'n');
	assert_int_equal(letter(source, places[FREE] + SIZE - PAGE), 'n');
	assert_int_equal(letter(source, places[LISTED]), 'l');
	assert_in_range(report_of_it().shared_paused, 2 * SIZE, 2 * SIZE + PAGE);
	assert_int_equal(report_of_it().shared_after, 0);
}

/* The limit is for all of it, and what is too much for it is read later, not left out. */
static void large_memory(enum pidmem_engine engine)
{
	struct pidmem_source *source = freeze_around(engine, 'l');

	assert_false(was_listed_again());
	order('0' + FREE);
	order('0' + LISTED);
	assert_int_equal(letter(source, places[FREE]), 'z');
	assert_int_equal(letter(source, places[LISTED]), 'l');
	assert_int_equal(letter(source, places[LISTED] + SIZE + PAGE), 's');
	assert_int_equal(report_of_it().shared_after, LARGE);
}

/* Nobody knows before it runs on; then the rules of core files decide. */
static void not_to_be_dumped(enum pidmem_engine engine)
{
	struct pidmem_source *source = freeze_around(engine, 'd');

	assert_false(was_listed_again());
	order('0' + FREE);
	assert_int_equal(letter(source, places[FREE]), 'n');
	assert_int_equal(flags(source, places[FREE]) & PIDMEM_VM_DONTDUMP, PIDMEM_VM_DONTDUMP);
	assert_int_equal(flags(source, places[LISTED]) & PIDMEM_VM_DONTDUMP, 0);
}

static void gone(enum pidmem_engine engine)
{
	struct pidmem_source *source = freeze_around(engine, 'u');

	assert_false(was_listed_again());
	assert_null(pidmem_maps_find(pidmem_source_maps(source), (uintptr_t)places[LISTED]));
	assert_int_equal(letter(source, places[LISTED]), -1);
	assert_int_equal(letter(source, places[FREE]), 'n');
}

static void replaced(enum pidmem_engine engine)
{
	struct pidmem_source *source = freeze_around(engine, 'r');

	assert_false(was_listed_again());
	assert_saved_once();
	order('0' + LISTED);
	assert_int_equal(letter(source, places[LISTED]), 'n');
	assert_int_equal(letter(source, places[LISTED] + SIZE - PAGE), 'n');
}

static void cut(enum pidmem_engine engine)
{
	struct pidmem_source *source = freeze_around(engine, 'h');

	assert_false(was_listed_again());
	assert_saved_once();
	order('0' + LISTED);
	assert_int_equal(letter(source, places[LISTED]), 'l');
	assert_int_equal(letter(source, places[LISTED] + PAGE), 'h');
	assert_int_equal(letter(source, places[LISTED] + 2 * PAGE), 'l');
	assert_int_equal(report_of_it().shared_after, 0);
}

/* What is left of it on both sides is as it was listed. */
static void over_private_memory(enum pidmem_engine engine)
{
	struct pidmem_source *source = freeze_around(engine, 'm');

	assert_false(was_listed_again());
	assert_int_equal(letter(source, places[PRIVATE] + PAGE), 'n');
	assert_int_equal(flags(source, places[PRIVATE] + PAGE) & PIDMEM_VM_DONTDUMP, 0);
	for (int i = 0; i < 4; i += 2) {
		const unsigned char *rest = places[PRIVATE] + i * PAGE;
		assert_int_equal(flags(source, rest) & PIDMEM_VM_DONTDUMP, PIDMEM_VM_DONTDUMP);
		assert_int_equal(letter(source, rest), engine == PIDMEM_ENGINE_PRECOPY ? -1 : 'v');
	}
}

/* Only all of its flags tell whether it may be read. */
static void device(enum pidmem_engine engine)
{
	freeze_around(engine, 'x');
	assert_true(was_listed_again());
}

/* It may register what it maps, and supply the pages of it later. */
static void watched(enum pidmem_engine engine)
{
	order('w');
	struct pidmem_source *source = freeze_around(engine, 'n');
	assert_true(was_listed_again());
	assert_int_equal(letter(source, places[FREE]), 'n');
}

#define BY_EACH_ENGINE(test)                     \
	static void test##_clone(void **state)   \
	{                                        \
		(void)state;                     \
		test(PIDMEM_ENGINE_CLONE);       \
	}                                        \
	static void test##_precopy(void **state) \
	{                                        \
		(void)state;                     \
		test(PIDMEM_ENGINE_PRECOPY);     \
	}

BY_EACH_ENGINE(private_memory)
BY_EACH_ENGINE(new_memory)
BY_EACH_ENGINE(large_memory)
BY_EACH_ENGINE(not_to_be_dumped)
BY_EACH_ENGINE(gone)
BY_EACH_ENGINE(replaced)
BY_EACH_ENGINE(cut)
BY_EACH_ENGINE(over_private_memory)
BY_EACH_ENGINE(device)
BY_EACH_ENGINE(watched)

#define TESTS(test)                                                 \
	cmocka_unit_test_setup_teardown(test##_clone, start, stop), \
		cmocka_unit_test_setup_teardown(test##_precopy, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS(private_memory), TESTS(new_memory), TESTS(large_memory), TESTS(not_to_be_dumped),
		TESTS(gone),           TESTS(replaced),   TESTS(cut),          TESTS(over_private_memory),
		TESTS(device),         TESTS(watched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
