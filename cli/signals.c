/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signals.h"
#include "failure.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static volatile sig_atomic_t interrupted, end_at_once;
static int most_files;
static char messages[NSIG][96]; /* made beforehand: a handler must not call snprintf(3) */

/*
 * The helper process of the library, the only child, sees the end of its socket, puts everything right and ends. With
 * functions that a handler may call (signal-safety(7)): the library is in the middle of something.
 */
static void wait_for_helper(void)
{
	pid_t ended;

	if (close_range((unsigned)STDERR_FILENO + 1, ~0U, 0) < 0) /* before Linux 5.9 */
		for (int fd = STDERR_FILENO + 1; fd < most_files; fd++)
			close(fd);
	do
		ended = waitpid(-1, NULL, 0);
	while (ended > 0 || (ended < 0 && errno == EINTR));
}

/* A signal that comes just before a write blocks does not end that write: knock again every second. */
static void on_signal(int number)
{
	if (number != SIGALRM)
		interrupted = number;
	if (end_at_once && number != SIGALRM) {
		wait_for_helper();
		/* If this write fails there is nobody to tell. */
		if (write(STDERR_FILENO, messages[number], strlen(messages[number])) >= 0)
			_exit(EXIT_FAILED);
		_exit(EXIT_FAILED);
	}
	alarm(1);
}

static const char *describe(int number, char *text, size_t size)
{
	snprintf(text, size, "interrupted by SIG%s: nothing is left behind", sigabbrev_np(number));
	return text;
}

/*
 * Not the default action: the library is told to stop and takes its half-written files away. Without SA_RESTART, so
 * that a write into a full pipe ends as well.
 */
static void catch_one(int number)
{
	struct sigaction action = { .sa_handler = on_signal, }, old;

	if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN) /* nohup(1) */
		sigaction(number, &action, NULL);
}

void signals_catch(void)
{
	char text[64];

	most_files = (int)sysconf(_SC_OPEN_MAX);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(messages[numbers[i]], sizeof(messages[0]), "pidmem: %s\n",
			 describe(numbers[i], text, sizeof(text)));
		catch_one(numbers[i]);
	}
	catch_one(SIGALRM);
}

void signals_end_at_once(bool at_once)
{
	end_at_once = at_once;
}

void signals_keep_running(bool keep)
{
	sigset_t stops;

	sigemptyset(&stops);
	sigaddset(&stops, SIGTSTP);
	sigaddset(&stops, SIGTTIN);
	sigaddset(&stops, SIGTTOU);
	sigprocmask(keep ? SIG_BLOCK : SIG_UNBLOCK, &stops, NULL);
}

bool signals_came(void)
{
	return interrupted != 0;
}

int fail_interrupted(void)
{
	char text[64];

	return fail("%s", describe(interrupted, text, sizeof(text)));
}
