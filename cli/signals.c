/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signals.h"
#include "failure.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static volatile sig_atomic_t interrupted, end_at_once;
static char messages[NSIG][96]; /* made beforehand: a handler must not call snprintf(3) */

/* A signal that comes just before a write blocks does not end that write: knock again every second. */
static void on_signal(int number)
{
	if (number != SIGALRM)
		interrupted = number;
	if (end_at_once && number != SIGALRM) {
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

bool signals_came(void)
{
	return interrupted != 0;
}

int fail_interrupted(void)
{
	char text[64];

	return fail("%s", describe(interrupted, text, sizeof(text)));
}
