/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* signals: threads that send each other signals, count every one, and look at what each one interrupts; see worker.h.
 */
#include <poll.h>
#include <sys/syscall.h>

#include "worker.h"

#define MS 1000000L
#define BEHIND 16 /* so many signals are on their way at most */

/* One that is never sent, ... */
#define NEVER (SIGRTMIN + 8)

static sigset_t everything;
static pthread_t threads[64];

static sigset_t only(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	return set;
}

static struct worker workers[];

/* Accepting: each queued signal arrives once, in order, with its number. */
static void accept_queued(struct worker *self)
{
	sigset_t set = only(SIGRTMIN);
	siginfo_t info;
	int got = sigwaitinfo(&set, &info);

	if (got < 0 && errno == EINTR) {
		LATER(self->interrupted);
		return;
	}
	expect(self, got == SIGRTMIN && info.si_value.sival_int == (int)self->own[0], "signal %d with %d, not %ld", got,
	       info.si_value.sival_int, self->own[0]);
	LATER(self->own[0]);
}

static void send_queued(struct worker *self)
{
	struct worker *to = workers;

	usleep(800);
	if (self->own[0] - SEEN(to->own[0]) > BEHIND)
		return;
	expect(self, sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = (int)self->own[0] }) == 0, "sigqueue");
	self->own[0]++;
}

/* Handlers: each counts, in order; what they interrupt is looked at by their threads. */
static struct worker *handled[4];

static void handle(int number, siginfo_t *info, void *context)
{
	struct worker *self = handled[number - SIGRTMIN - 1];
	int error = errno;

	(void)context;
	expect(self, info->si_value.sival_int == (int)self->own[0], "signal with %d, not %ld", info->si_value.sival_int,
	       self->own[0]);
	LATER(self->own[0]);
	errno = error;
}

static void prepare(struct worker *self, int which, int flags, bool open)
{
	struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | flags };
	sigset_t set = only(SIGRTMIN + 1 + which);

	sigfillset(&action.sa_mask);
	handled[which] = self;
	if (sigaction(SIGRTMIN + 1 + which, &action, NULL))
		die("sigaction");
	if (open)
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	__atomic_store_n(&threads[which], pthread_self(), __ATOMIC_RELEASE);
}

static void send_to(struct worker *self, int which)
{
	union sigval value = { .sival_int = (int)self->own[0] };

	usleep(1100);
	if (!SEEN(threads[which]) || self->own[0] - SEEN(handled[which]->own[0]) > BEHIND)
		return;
	expect(self, pthread_sigqueue(threads[which], SIGRTMIN + 1 + which, value) == 0, "pthread_sigqueue");
	self->own[0]++;
}

static int numbers[2];

static void begin_restarted(struct worker *self)
{
	prepare(self, 0, SA_RESTART, true);
}

/* SA_RESTART: this read is interrupted all the time, and never says so. */
static void restarted(struct worker *self)
{
	unsigned long number = 0;
	ssize_t got = read(numbers[0], &number, sizeof(number));

	expect(self, got == sizeof(number) && number == self->rounds, "read %zd: %lu, not %lu", got, number,
	       self->rounds);
}

static void send_restarted(struct worker *self)
{
	send_to(self, 0);
	if (self->rounds % 5 == 0) {
		expect(self, write(numbers[1], &self->own[1], sizeof(long)) == sizeof(long), "write");
		self->own[1]++;
	}
}

static void begin_ended(struct worker *self)
{
	prepare(self, 1, 0, true);
}

/* poll() for ever ends by a handler and by nothing else. */
static void ended(struct worker *self)
{
	long before = self->own[0];
	int got = poll(NULL, 0, -1);

	expect(self, got < 0 && errno == EINTR && self->own[0] > before, "poll ended with %d, no signal", got);
}

static void send_ended(struct worker *self)
{
	send_to(self, 1);
}

static void begin_suspended(struct worker *self)
{
	prepare(self, 2, 0, false);
}

/* sigsuspend() ends when exactly one handler has run. */
static void suspended(struct worker *self)
{
	sigset_t mask = everything, after;
	long before = self->own[0];
	int got;

	sigdelset(&mask, SIGRTMIN + 3);
	got = sigsuspend(&mask);
	expect(self, got < 0 && errno == EINTR && self->own[0] == before + 1, "sigsuspend: %d after %ld signals", got,
	       self->own[0] - before);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	expect(self, sigismember(&after, SIGRTMIN + 3) == 1, "sigsuspend left its mask");
}

static void send_suspended(struct worker *self)
{
	send_to(self, 2);
}

static void start_timer(int number, long long start, long interval)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number };
	struct itimerspec time = { .it_interval = { .tv_nsec = interval } };
	timer_t timer;

	start += interval;
	time.it_value = (struct timespec){ (time_t)(start / 1000000000), (long)(start % 1000000000) };
	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, TIMER_ABSTIME, &time, NULL))
		die("timer");
}

static volatile sig_atomic_t alarms;

static void alarmed(int number)
{
	(void)number;
	alarms++;
}

static void begin_pause(struct worker *self)
{
	struct sigaction action = { .sa_handler = alarmed };
	sigset_t set = only(SIGRTMIN + 5);

	(void)self;
	if (sigaction(SIGRTMIN + 5, &action, NULL))
		die("sigaction");
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	start_timer(SIGRTMIN + 5, now(), 3 * MS);
}

static void paused(struct worker *self)
{
	int before = alarms;
	int got = pause();

	expect(self, got < 0 && errno == EINTR && alarms > before, "pause ended with %d, no signal", got);
}

static void begin_timer(struct worker *self)
{
	long long *start = malloc(sizeof(*start));

	*start = now();
	self->own[1] = (long)start;
	start_timer(SIGRTMIN + 6, *start, MS);
}

/* Every expiry of a timer is told, as a signal or as an overrun of one. */
static void timed(struct worker *self)
{
	sigset_t set = only(SIGRTMIN + 6);
	long long start = *(long long *)self->own[1], before = now();
	siginfo_t info;
	int got = sigwaitinfo(&set, &info);

	if (got < 0 && errno == EINTR) {
		LATER(self->interrupted);
		return;
	}
	self->own[0] += 1 + info.si_overrun;
	expect(self, self->own[0] >= (before - start) / MS && self->own[0] <= (now() - start) / MS,
	       "the timer fired %ld times in %lld to %lld ms", self->own[0], (before - start) / MS,
	       (now() - start) / MS);
}

static void timed_out(struct worker *self)
{
	struct timespec brief = { .tv_nsec = 3 * MS };
	sigset_t set = only(NEVER);
	long long begun = now();

	waited(self, begun, 3 * MS, sigtimedwait(&set, NULL, &brief), -1, EAGAIN);
}

static void begin_pending(struct worker *self)
{
	(void)self;
	pthread_kill(pthread_self(), SIGUSR1);
	kill(getpid(), SIGUSR2);
}

/* Blocked signals stay blocked, pending ones pending. */
static void pending(struct worker *self)
{
	sigset_t set, mask;

	usleep(1000);
	sigpending(&set);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	expect(self, sigismember(&set, SIGUSR1) == 1 && sigismember(&set, SIGUSR2) == 1, "a pending signal is gone");
	expect(self, !memcmp(&mask, &everything, 8), "the mask is another one");
}

static struct worker workers[] = {
	{ .name = "sigwaitinfo", .round = accept_queued, .may_be_interrupted = true },
	{ .name = "sigqueue", .round = send_queued },
	{ .name = "restarted", .round = restarted, .begin = begin_restarted },
	{ .name = "send_restarted", .round = send_restarted },
	{ .name = "ended", .round = ended, .begin = begin_ended },
	{ .name = "send_ended", .round = send_ended },
	{ .name = "sigsuspend", .round = suspended, .begin = begin_suspended },
	{ .name = "send_suspended", .round = send_suspended },
	{ .name = "pause", .round = paused, .begin = begin_pause },
	{ .name = "timer", .round = timed, .begin = begin_timer, .may_be_interrupted = true },
	{ .name = "sigtimedwait", .round = timed_out, .may_be_interrupted = true },
	{ .name = "pending", .round = pending, .begin = begin_pending },
};
#define COUNT (sizeof(workers) / sizeof(*workers))

int main(void)
{
	if (pipe(numbers))
		die("pipe");
	sigfillset(&everything);
	pthread_sigmask(SIG_SETMASK, &everything, NULL);
	pthread_sigmask(SIG_SETMASK, NULL, &everything); /* without those that cannot be blocked */
	start_workers(workers, COUNT);
	return answer(workers, COUNT);
}
