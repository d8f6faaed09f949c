/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child that is a zombie, and a process whose first thread has ended while another one lives on. */
#include <pthread.h>
#include <signal.h>

#include "victim.h"

static int life[2];

static void *stay(void *region)
{
	char byte;

	(void)region;
	_exit(read(life[0], &byte, 1) != 0);
}

int main(void)
{
	char *region = map_apart(2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	siginfo_t info;
	pthread_t thread;
	pid_t zombie, headless;

	fill(region, 2, 28);
	if (pipe(life))
		die("pipe");
	zombie = fork();
	if (zombie == 0)
		_exit(0);
	if (zombie < 0 || waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT))
		die("zombie");
	headless = fork();
	if (headless == 0) {
		close(life[1]);
		if (pthread_create(&thread, NULL, stay, region))
			_exit(1);
		pthread_exit(NULL);
	}
	if (headless < 0)
		die("fork");
	fact_number("zombie", zombie);
	fact_number("headless", headless);
	fact("region", region);
	return ready();
}
