/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * threads COUNT: that many threads that wait, besides the first one. Each has its number in a thread-local variable,
 * and, plus 0x7ead0000, on its stack: word N of `stacks` is the address of the Nth.
 */
#include <pthread.h>

#include "victim.h"

static unsigned long *stacks;
static unsigned started;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
__thread unsigned long number_of_thread;

static void *stay(void *number)
{
	volatile unsigned long mine = (unsigned long)number + 0x7ead0000;

	number_of_thread = (unsigned long)number;
	stacks[(unsigned long)number] = (unsigned long)&mine;
	__atomic_add_fetch(&started, 1, __ATOMIC_RELEASE);
	pthread_mutex_lock(&held);
	return mine ? NULL : number;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;
	pthread_attr_t attributes;
	pthread_t thread;

	stacks = map((count + 1) * sizeof(long), PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	pthread_mutex_lock(&held);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	for (unsigned long i = 0; i < count; i++)
		if (pthread_create(&thread, &attributes, stay, (void *)i))
			skip("pthread_create");
	while (__atomic_load_n(&started, __ATOMIC_ACQUIRE) < count)
		usleep(1000);
	fact("stacks", stacks);
	fact_number("count", (long)count);
	return ready();
}
