/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * churn [shared]: two threads change the address space all the time, each in slots of its own: map, unmap, move, grow,
 * shrink, drop (DONTNEED, FREE, REMOVE), protect, write; one also grows and shrinks the heap, and starts children. With
 * `shared` one slot of each thread is shared memory, all others are private. A third one shrinks and grows a large
 * mapping, a fourth one writes numbers in order to
 * pages far apart, `solo0`...
 *
 * What is there is noted at `ledger`: `slots` entries of { number of changes begun, and done; address, pages, stamp;
 * how many of the first pages have that stamp, the others are zero; pages may have been freed }. Of any one moment all
 * slots are known but those that are being changed. Each word of page I with a stamp is stamp << 20 | I.
 */
#include <pthread.h>
#include <stdbool.h>

#include "victim.h"

#define SLOTS 12
#define EACH (SLOTS / 2)
#define HEAP 0 /* slot of the first thread */
#define ROOM (64 * PAGE)
#define SOLO 12

struct slot {
	unsigned long begun, done;
	char *address; /* NULL: nothing is mapped */
	unsigned long pages, stamp, stamped, freed;
};

struct churner {
	struct slot *slots;
	char *rooms; /* two for each slot, with nothing between them */
	unsigned long random;
};

static struct slot *ledger;
static unsigned long *solo[SOLO];
static bool go, with_shared;

static unsigned long choose(struct churner *self, unsigned long below)
{
	self->random = self->random * 6364136223846793005UL + 1442695040888963407UL;
	return (self->random >> 33) % below;
}

static void must(bool right, const char *what)
{
	if (!right) {
		fprintf(stderr, "churn: %s: %s\n", what, strerror(errno));
		_exit(1);
	}
}

static void stamp(struct slot *slot, unsigned long first)
{
	for (unsigned long page = first; page < slot->pages; page++) {
		volatile unsigned long *word = (void *)(slot->address + page * PAGE);

		for (size_t i = 0; i < PAGE / sizeof(*word); i++)
			word[i] = slot->stamp << 20 | page;
	}
	slot->stamped = slot->pages;
}

static void restamp(struct slot *slot)
{
	slot->stamp++;
	slot->freed = 0;
	stamp(slot, 0);
}

/* Is everything there as noted? This thread alone changes it. */
static void check(const struct slot *slot)
{
	for (unsigned long page = 0; page < slot->pages; page++) {
		const unsigned long *word = (void *)(slot->address + page * PAGE);
		unsigned long right = page < slot->stamped ? slot->stamp << 20 | page : 0;

		for (size_t i = 0; i < PAGE / sizeof(*word); i += 73)
			must(word[i] == right || (slot->freed && word[i] == 0), "a page is not as it was");
	}
}

static char *room(const struct churner *self, const struct slot *slot, bool other)
{
	char *first = self->rooms + 2 * (slot - self->slots) * ROOM;

	return first + ((slot->address >= first + ROOM) != other ? ROOM : 0);
}

static void do_map(struct churner *self, struct slot *slot, bool shared)
{
	slot->pages = 1 + choose(self, 48);
	slot->address = mmap(room(self, slot, choose(self, 2)), slot->pages * PAGE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | (shared ? MAP_SHARED : MAP_PRIVATE), -1, 0);
	must(slot->address != MAP_FAILED, "mmap");
	restamp(slot);
}

static void do_unmap(struct slot *slot)
{
	must(!munmap(slot->address, slot->pages * PAGE), "munmap");
	slot->address = NULL;
	slot->pages = 0;
}

static void do_move(const struct churner *self, struct slot *slot)
{
	size_t size = slot->pages * PAGE;
	char *to = room(self, slot, true);

	must(mremap(slot->address, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to, "mremap, moving");
	slot->address = to;
}

static void do_resize(struct churner *self, struct slot *slot, bool shared)
{
	unsigned long before = slot->pages, after = 1 + choose(self, ROOM / PAGE);

	/* A shared mapping can grow, but not what it maps. */
	if (shared && after > before)
		after = before;
	must(mremap(slot->address, before * PAGE, after * PAGE, 0) == slot->address, "mremap, resizing");
	slot->pages = after;
	if (slot->stamped > after)
		slot->stamped = after;
	if (after > before && slot->stamped == before && choose(self, 2))
		stamp(slot, before);
}

/* The last pages become zero again. */
static void do_drop(struct churner *self, struct slot *slot, bool shared)
{
	unsigned long left = choose(self, slot->pages);

	must(!madvise(slot->address + left * PAGE, (slot->pages - left) * PAGE, shared ? MADV_REMOVE : MADV_DONTNEED),
	     "madvise");
	if (slot->stamped > left)
		slot->stamped = left;
}

static void do_free(struct slot *slot)
{
	must(!madvise(slot->address, slot->pages * PAGE, MADV_FREE), "MADV_FREE");
	slot->freed = 1;
}

static void do_protect(const struct slot *slot)
{
	must(!mprotect(slot->address, slot->pages * PAGE, PROT_NONE), "mprotect");
	sched_yield();
	must(!mprotect(slot->address, slot->pages * PAGE / 2 / PAGE * PAGE, PROT_READ), "mprotect");
	must(!mprotect(slot->address, slot->pages * PAGE, PROT_READ | PROT_WRITE), "mprotect");
}

/* Above what the C library has taken of the heap, which takes no more. */
static void do_heap(struct churner *self, struct slot *slot)
{
	unsigned long before = slot->pages, after = 1 + choose(self, 64);

	must(!brk(slot->address + after * PAGE), "brk");
	slot->pages = after;
	if (slot->stamped > after)
		slot->stamped = after;
	if (after > before && slot->stamped == before)
		stamp(slot, before);
}

static void do_child(void)
{
	char *arguments[] = { (char[]){ "true" }, NULL };
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		execv("/bin/true", arguments);
		_exit(1);
	}
	must(child > 0 && waitpid(child, &status, 0) == child && status == 0, "a child");
}

static void change(struct churner *self, struct slot *slot, bool heap, bool shared)
{
	unsigned long what = choose(self, 8);

	if (!slot->address)
		do_map(self, slot, shared);
	else if (slot->freed || what == 0)
		restamp(slot);
	else if (heap)
		do_heap(self, slot);
	else if (what == 1)
		do_unmap(slot);
	else if (what == 2)
		do_move(self, slot);
	else if (what == 3 || what == 4)
		do_resize(self, slot, shared);
	else if (what == 5)
		do_drop(self, slot, shared);
	else if (what == 6 && !shared)
		do_free(slot);
	else
		do_protect(slot);
}

static void *churn(void *churner)
{
	struct churner *self = churner;

	while (!__atomic_load_n(&go, __ATOMIC_SEQ_CST))
		usleep(1000);
	for (unsigned long round = 1;; round++) {
		unsigned long number = choose(self, EACH);
		struct slot *slot = &self->slots[number];

		check(slot);
		__atomic_store_n(&slot->begun, round, __ATOMIC_SEQ_CST);
		change(self, slot, slot == &ledger[HEAP], with_shared && number == EACH - 1);
		__atomic_store_n(&slot->done, round, __ATOMIC_SEQ_CST);
		if (self->slots == ledger && round % 256 == 0)
			do_child();
		if (round % 16 == 0)
			usleep(50);
	}
	return NULL;
}

static void *write_in_order(void *unused)
{
	for (unsigned long number = 1;; number++)
		for (int i = 0; i < SOLO; i++)
			__atomic_store_n(solo[i], number, __ATOMIC_SEQ_CST);
	return unused;
}

/* As realloc() of something large does. */
static void *move_much(void *place)
{
	size_t size = 48 * MIB;
	char *room = place;

	for (size_t at = 0; at < size; at += MIB)
		room[at] = 1;
	for (;;) {
		room = mremap(room, size, size / 2, 0);
		must(room != MAP_FAILED, "mremap of a large mapping, shrinking");
		room = mremap(room, size / 2, size, MREMAP_MAYMOVE);
		must(room != MAP_FAILED, "mremap of a large mapping, growing");
		for (size_t at = 0; at < size; at += MIB) {
			must(room[at] == (at < size / 2), "large mapping");
			room[at] = 1;
		}
		usleep(200);
	}
	return place;
}

static void start(void *(*body)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, body, argument))
		die("pthread_create");
}

int main(int argc, char **argv)
{
	size_t size = 4 * MIB;
	char *pages = map_apart(size, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), key[16];
	char *rooms = map((2 * SLOTS + 2) * ROOM, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE, -1);
	static struct churner churners[2];

	with_shared = argc > 1 && !strcmp(argv[1], "shared");
	setbuf(stdout, NULL);
	ledger = map_apart(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	for (int i = 0; i < SOLO; i++) {
		solo[i] = (void *)(pages + size / SOLO * (size_t)i / PAGE * PAGE + 64);
		snprintf(key, sizeof(key), "solo%d", i);
		fact(key, solo[i]);
		*solo[i] = 0;
	}
	fact("ledger", ledger);
	fact_number("slots", SLOTS);
	fact("rooms", rooms);
	fact("rooms_end", rooms + (2 * SLOTS + 2) * ROOM);
	start(write_in_order, NULL);
	start(move_much, map(48 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1));
	for (int i = 0; i < 2; i++)
		churners[i] = (struct churner){ ledger + i * EACH, rooms + PAGE + 2 * (long)i * EACH * (long)ROOM,
						(unsigned long)i + 7 };
	munmap(rooms, (2 * SLOTS + 2) * ROOM);
	for (int i = 0; i < 2; i++)
		start(churn, &churners[i]);
	ledger[HEAP].address = (char *)(((uintptr_t)sbrk(0) + PAGE - 1) / PAGE * PAGE);
	__atomic_store_n(&go, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(solo[SOLO - 1], __ATOMIC_SEQ_CST) < 10 ||
	       __atomic_load_n(&ledger[SLOTS - 1].done, __ATOMIC_SEQ_CST) == 0)
		usleep(1000);
	return ready();
}
