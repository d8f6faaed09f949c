/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * order [MIB]: threads hand a number on from page to page, through all kinds of memory: a page never holds less than
 * the one behind it, and at most one more than the last. `relay0`, `relay1`... are the pages of two threads that take
 * turns, `solo0`... those of a third one in private memory alone. MIB of other memory lie between.
 */
#include <pthread.h>

#include "victim.h"

#define RELAY 16
#define SOLO 12

static unsigned long *relay[RELAY], *solo[SOLO];
static unsigned long global[PAGE / sizeof(long)] __attribute__((aligned(PAGE)));

/* Not sched_yield(): in Linux 6.18 who yields all the time makes newcomers wait for seconds. */
static void step_aside(void)
{
	usleep(1);
}

static unsigned long load(const unsigned long *page)
{
	return __atomic_load_n(page, __ATOMIC_SEQ_CST);
}

static void store(unsigned long *page, unsigned long number)
{
	__atomic_store_n(page, number, __ATOMIC_SEQ_CST);
}

/* Write each new number of `from` to the pages first..last; `ahead` is how much more than `from` they get. */
static void hand_on(const unsigned long *from, unsigned long ahead, int first, int last)
{
	for (unsigned long number = 1;; number++) {
		while (load(from) + ahead < number)
			step_aside();
		for (int i = first; i <= last; i++)
			store(relay[i], number);
	}
}

static void *lead(void *unused)
{
	hand_on(relay[RELAY - 1], 1, 0, RELAY / 2 - 1); /* a new number when the last page has the old one */
	return unused;
}

static void *follow(void *unused)
{
	unsigned long on_stack[2 * PAGE / sizeof(long)];

	/* A page of this thread's stack is one of them. */
	on_stack[PAGE / sizeof(long)] = 0;
	relay[RELAY / 2] = &on_stack[PAGE / sizeof(long)];
	__atomic_store_n((int *)unused, 1, __ATOMIC_SEQ_CST);
	hand_on(relay[RELAY / 2 - 1], 0, RELAY / 2, RELAY - 1);
	return unused;
}

static void *alone(void *unused)
{
	for (unsigned long number = 1;; number++)
		for (int i = 0; i < SOLO; i++)
			store(solo[i], number);
	return unused;
}

static void *advised(int advice)
{
	void *page = map_apart(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);

	if (madvise(page, PAGE, advice))
		skip("madvise");
	return page;
}

static void start(void *(*body)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, body, argument))
		die("pthread_create");
}

int main(int argc, char **argv)
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 4) * MIB;
	char *room = map_apart(size, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), key[16];
	int memory = memfd_create("order", 0), in_place = 0;

	if (memory < 0 || ftruncate(memory, PAGE))
		die("memfd");
	fill(room, size / PAGE, 40);
	for (int i = 0; i < SOLO; i++)
		solo[i] = (void *)(room + size / SOLO * (size_t)i / PAGE * PAGE + 64);
	for (int i = 0; i < RELAY; i++)
		relay[i] = (void *)(room + size / RELAY * (size_t)(i * 7 % RELAY) / PAGE * PAGE + 128);
	relay[1] = global;
	relay[3] = calloc(64, 1024);
	relay[4] = advised(MADV_DONTFORK);
	relay[6] = map_apart(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	relay[10] = advised(MADV_WIPEONFORK);
	relay[12] = map_apart(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory);
	relay[14] = map_apart(2 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	for (int i = 0; i < RELAY; i++)
		*relay[i] = 0;
	for (int i = 0; i < SOLO; i++)
		*solo[i] = 0;
	start(follow, &in_place);
	while (!__atomic_load_n(&in_place, __ATOMIC_SEQ_CST))
		step_aside();
	start(lead, NULL);
	start(alone, NULL);
	while (load(relay[RELAY - 1]) < 10 || load(solo[SOLO - 1]) < 10)
		step_aside();
	for (int i = 0; i < RELAY; i++) {
		snprintf(key, sizeof(key), "relay%d", i);
		fact(key, relay[i]);
	}
	for (int i = 0; i < SOLO; i++) {
		snprintf(key, sizeof(key), "solo%d", i);
		fact(key, solo[i]);
	}
	return ready();
}
