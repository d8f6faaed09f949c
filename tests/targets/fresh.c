/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fresh: a thread maps shared memory all the time, of each kind, and unmaps what is oldest. What is there is noted at
 * `ledger`: `slots` entries of { number of changes begun, and done; address, pages, stamp; is it not to be dumped? }.
 * Of any one moment all slots are known but the one that is being changed. Each word of page I is stamp << 20 | I.
 */
#include <pthread.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "victim.h"

#define SLOTS 8

struct slot {
	unsigned long begun, done;
	char *address;
	unsigned long pages, stamp, hidden;
};

static struct slot *ledger;

static char *map_file(int fd, size_t size)
{
	if (fd < 0 || ftruncate(fd, (off_t)size))
		die("a file");
	char *address = map(size, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	close(fd);
	return address;
}

static char *map_segment(size_t size)
{
	int id = shmget(IPC_PRIVATE, size, 0600);
	char *address = id < 0 ? (void *)-1 : shmat(id, NULL, 0);

	if (id >= 0)
		shmctl(id, IPC_RMID, NULL);
	if (address == (void *)-1)
		die("shmat");
	return address;
}

static char *map_new(unsigned long kind, size_t size)
{
	switch (kind) {
	case 0:
		return map_file(memfd_create("fresh", MFD_CLOEXEC), size);
	case 1:
		return map_file(open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), size);
	case 2:
		return map_segment(size);
	default:
		return map(size, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	}
}

static void unmap(const struct slot *slot)
{
	if (slot->address && slot->stamp % 4 == 2)
		shmdt(slot->address);
	else if (slot->address)
		munmap(slot->address, slot->pages * PAGE);
}

static void change(struct slot *slot, unsigned long stamp)
{
	unmap(slot);
	slot->stamp = stamp;
	slot->pages = 1 + stamp % 5;
	slot->address = map_new(stamp % 4, slot->pages * PAGE);
	slot->hidden = stamp % 7 == 0;
	if (slot->hidden)
		madvise(slot->address, slot->pages * PAGE, MADV_DONTDUMP);
	for (unsigned long page = 0; page < slot->pages; page++) {
		volatile unsigned long *word = (void *)(slot->address + page * PAGE);

		for (size_t i = 0; i < PAGE / sizeof(*word); i++)
			word[i] = stamp << 20 | page;
	}
}

static void *map_on(void *unused)
{
	for (unsigned long stamp = 1;; stamp++) {
		struct slot *slot = &ledger[stamp % SLOTS];

		__atomic_store_n(&slot->begun, stamp, __ATOMIC_SEQ_CST);
		change(slot, stamp);
		__atomic_store_n(&slot->done, stamp, __ATOMIC_SEQ_CST);
		usleep(100);
	}
	return unused;
}

int main(void)
{
	pthread_t thread;

	setbuf(stdout, NULL);
	ledger = map_apart(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	fact("ledger", ledger);
	fact_number("slots", SLOTS);
	if (pthread_create(&thread, NULL, map_on, NULL))
		die("pthread_create");
	while (__atomic_load_n(&ledger[SLOTS - 1].done, __ATOMIC_SEQ_CST) == 0)
		usleep(1000);
	return ready();
}
