/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is mapped between the list of all regions, which takes long, and the stop. */
#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/process.h"
#include "source/freeze.h"
#include "source/precopy.h"

#define PAGE 4096UL
#define SIZE (4 * PAGE)

/* Places apart from each other; what is there at first, as it is listed, holds its own letter. */
enum { LISTED, PLACES };
static unsigned char *places[PLACES];
static pid_t child;
static int orders[2], answers[2];
static struct pidmem_process *process;
static struct pidmem_freeze *freeze;
static const struct pidmem_maps *listed;

static void put(unsigned char *at, size_t size, int flags, unsigned char letter)
{
	if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0) != at)
		_exit(1);
	for (size_t i = 0; i < size; i += PAGE)
		at[i] = letter;
}

static void obey(char order)
{
	if (order == 'p') /* the heap grows, a thread starts... */
		put(places[LISTED] + SIZE, PAGE, MAP_PRIVATE, 'p');
}

__attribute__((noreturn)) static void be_child(void)
{
	char order;

	put(places[LISTED], SIZE, MAP_SHARED, 'l');
	while (write(answers[1], "x", 1) == 1 && read(orders[0], &order, 1) == 1)
		obey(order);
	_exit(0);
}

static void order(char what)
{
	char answer;

	assert_int_equal(write(orders[1], &what, 1), 1);
	assert_int_equal(read(answers[0], &answer, 1), 1);
}

static int start(void **state)
{
	char answer;

	(void)state;
	for (int i = 0; i < PLACES; i++) {
		places[i] = mmap(NULL, 4 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (places[i] == MAP_FAILED)
			return -1;
		places[i] += SIZE;
	}
	if (pipe(orders) < 0 || pipe(answers) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		close(orders[1]);
		be_child();
	}
	close(orders[0]);
	close(answers[1]);
	return read(answers[0], &answer, 1) == 1 ? pidmem_process_open(child, NULL, NULL, &process) : -1;
}

static int stop(void **state)
{
	(void)state;
	pidmem_freeze_close(take(freeze));
	pidmem_process_close(process);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(orders[1]);
	close(answers[0]);
	for (int i = 0; i < PLACES; i++)
		munmap(places[i] - SIZE, 4 * SIZE);
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
	freeze->given = 1;
	assert_int_equal(freeze_add(freeze, process, false, NULL), 0);
	assert_int_equal(guard_start(NULL, &freeze->guard), 0);
	assert_int_equal(freeze_prepare(freeze, NULL), 0);
	assert_int_equal(freeze_precopy(freeze, &error), 0);
	if (engine == PIDMEM_ENGINE_PRECOPY && !freeze->items[0]->precopy) /* before Linux 6.7 */
		skip();
	listed = freeze->items[0]->live->maps;
	order(what);
	assert_int_equal(freeze_take_moment(freeze, &error), 0);
	assert_int_equal(freeze->items[0]->consistency, PIDMEM_SNAPSHOT);
	return pidmem_freeze_source(freeze, 0);
}

/* To list all takes 20 ms for each GiB of the process, and it waits for that. */
static void assert_not_listed_again(void)
{
	assert_ptr_equal(freeze->items[0]->live->maps, listed);
}

static int letter(struct pidmem_source *source, const unsigned char *at)
{
	unsigned char byte;

	return pidmem_source_read(source, (uintptr_t)at, &byte, 1, NULL, NULL) == 1 ? byte : -1;
}

static void private_memory(enum pidmem_engine engine)
{
	struct pidmem_source *source = freeze_around(engine, 'p');

	assert_not_listed_again();
	assert_int_equal(letter(source, places[LISTED]), 'l');
	assert_int_equal(letter(source, places[LISTED] + SIZE), 'p');
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

#define TESTS(test)                                                 \
	cmocka_unit_test_setup_teardown(test##_clone, start, stop), \
		cmocka_unit_test_setup_teardown(test##_precopy, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS(private_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
