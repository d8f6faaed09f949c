/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* words - names of users and capabilities for the facts of a diagnosis */
#ifndef PROCESS_ACCESS_WORDS_H
#define PROCESS_ACCESS_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A short text by value, so that one printf() can take several. */
struct words {
	char text[120];
};

/* "alice", or "UID 1234" where no name is known. With `overflow`, 65534 is somebody outside the user namespace. */
struct words words_user(uid_t uid, bool overflow);
struct words words_group(gid_t gid, bool overflow);

/* "CAP_CHOWN, CAP_KILL and 3 more" */
struct words words_capabilities(uint64_t set);

/* "EACCES", or "errno 1234" */
struct words words_errno(int number);

#endif
