/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An ordinary process: known bytes in heap, stack, data and anonymous memory, and a second thread. */
#include <pthread.h>

#include "victim.h"

static char in_data[64] = "data: the quick brown fox";

static void *wait_for_ever(void *tid_pipe)
{
	pid_t tid = gettid();

	if (write(((int *)tid_pipe)[1], &tid, sizeof(tid)) != sizeof(tid))
		die("write");
	for (;;)
		pause();
	return NULL;
}

int main(void)
{
	char in_stack[64] = "stack: jumps over";
	char *in_heap = malloc(64);
	unsigned char *bytes = map_apart(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	int tid_pipe[2];
	pthread_t thread;
	pid_t tid;

	strcpy(in_heap, "heap: the lazy dog");
	fill(bytes, 4, 1);
	memset(bytes + PAGE, 0, 512); /* something for `*` to squeeze */
	memset(bytes + 2 * PAGE + 5, 0, 100);
	if (pipe(tid_pipe) || pthread_create(&thread, NULL, wait_for_ever, tid_pipe))
		die("thread");
	if (read(tid_pipe[0], &tid, sizeof(tid)) != sizeof(tid))
		die("read");
	fact("heap", in_heap);
	fact("stack", in_stack);
	fact("data", in_data);
	fact("bytes", bytes);
	fact_number("tid", tid);
	return ready();
}
