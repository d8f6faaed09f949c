/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rseq: every thread, the first one too, adds to counters of the processors in restartable sequences (rseq(2)), and is
 * in one nearly all the time. If one is neither finished nor begun again after it was interrupted, a count is lost.
 * A line on standard input is answered with the sum of the counters and that of the threads.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "victim.h"

#if defined(__x86_64__) && __has_include(<sys/rseq.h>)
#include <sys/rseq.h>

#define THREADS 4
#define PROCESSORS 1024

static struct {
	long count;
	char apart[56];
} counters[PROCESSORS];
static long added[THREADS];
static int stop, ended;

/* Read the counter of this processor, take some time, add, write: as one step, or not at all. */
static int add(struct rseq *area)
{
	unsigned cpu = __atomic_load_n(&area->cpu_id_start, __ATOMIC_RELAXED);
	long *count = &counters[cpu].count;

	if (cpu >= PROCESSORS)
		return 0;
	__asm__ goto(".pushsection __rseq_cs, \"aw\"\n\t"
		     ".balign 32\n"
		     "3:\n\t"
		     ".long 0, 0\n\t"
		     ".quad 1f, 2f - 1f, 4f\n\t"
		     ".popsection\n\t"
		     "leaq 3b(%%rip), %%rax\n\t"
		     "movq %%rax, 8(%[area])\n" /* area->rseq_cs */
		     "1:\n\t"
		     "cmpl %[cpu], 4(%[area])\n\t" /* area->cpu_id */
		     "jnz 4f\n\t"
		     "movq (%[count]), %%rax\n\t"
		     "movl $2000, %%ecx\n"
		     "5:\n\t"
		     "decl %%ecx\n\t"
		     "jnz 5b\n\t"
		     "incq %%rax\n\t"
		     "movq %%rax, (%[count])\n"
		     "2:\n\t"
		     ".pushsection __rseq_abort, \"ax\"\n\t"
		     ".byte 0x0f, 0xb9, 0x3d\n\t"
		     ".long 0x53053053\n" /* RSEQ_SIG */
		     "4:\n\t"
		     "jmp %l[aborted]\n\t"
		     ".popsection\n\t"
		     :
		     : [area] "r"(area), [cpu] "r"(cpu), [count] "r"(count)
		     : "memory", "cc", "rax", "rcx"
		     : aborted);
	return 1;
aborted:
	return 0;
}

static void add_for_a_while(long *sum)
{
	struct rseq *area = (void *)((char *)__builtin_thread_pointer() + __rseq_offset);

	for (int i = 0; i < 1000; i++)
		*sum += add(area);
}

static void *work(void *sum)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		add_for_a_while(sum);
	__atomic_add_fetch(&ended, 1, __ATOMIC_ACQ_REL);
	return NULL;
}

static void report(void)
{
	long counted = 0, done = 0;

	for (int i = 0; i < PROCESSORS; i++)
		counted += counters[i].count;
	for (int i = 0; i < THREADS; i++)
		done += added[i];
	printf("%ld %ld\n", counted, done);
	fflush(stdout);
}

int main(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	pthread_t thread;

	if (!__rseq_size) {
		errno = ENOSYS;
		skip("rseq");
	}
	for (int i = 1; i < THREADS; i++)
		if (pthread_create(&thread, NULL, work, &added[i]))
			die("pthread_create");
	puts("ready");
	fflush(stdout);
	while (poll(&input, 1, 0) == 0)
		add_for_a_while(&added[0]);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) < THREADS - 1)
		usleep(1000);
	report();
	return ready();
}

#else

int main(void)
{
	errno = ENOSYS;
	skip("restartable sequences on this architecture");
}

#endif
