/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * userns - how the user namespace of another process stands to ours: user_namespaces(7)
 *
 * Capabilities count in the namespace they belong to and in those below it. /proc/PID/ns/user tells namespaces
 * apart with certainty, but may be opened only with the very right that is in question; /proc/PID/uid_map may
 * always be read, and is shown as seen from the reader's namespace.
 */
#ifndef PROCESS_USERNS_H
#define PROCESS_USERNS_H

#include <stdbool.h>
#include <sys/types.h>

enum userns_relation {
	USERNS_SAME,
	USERNS_BELOW,   /* a descendant of ours: our capabilities reach it */
	USERNS_OTHER,   /* above ours or beside it */
	USERNS_UNKNOWN, /* its uid_map could not be read */
};

/**
 * struct userns
 * @relation: of the target's namespace to ours
 * @doubtful: told from uid_map alone, which two namespaces side by side may share
 * @root_uid: who user 0 of the target's namespace is, as seen from ours
 * @overflow: ours does not map every ID: 65534 stands for users outside of it
 */
struct userns {
	enum userns_relation relation;
	bool doubtful;
	uid_t root_uid;
	bool overflow;
};

/* The ID that stands for those outside a user namespace: /proc/sys/kernel/overflowuid. */
#define OVERFLOW_ID 65534U

/** userns_compare() - `self` and `target` are the names of two processes below the directory `root`. */
struct userns userns_compare(int root, const char *self, const char *target);

/** userns_compare_maps() - the same from the texts of two uid_map files, as read by `self`. */
struct userns userns_compare_maps(const char *self, const char *target);

#endif
