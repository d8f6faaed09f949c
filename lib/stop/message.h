/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What guard and client say to each other: one request, one reply, over a stream socket. Both are the same program. */
#ifndef STOP_MESSAGE_H
#define STOP_MESSAGE_H

#include "pidmem.h"

enum guard_verb {
	GUARD_STOP,  /* `index` PIDs follow */
	GUARD_COPY,  /* of process `index` */
	GUARD_TRACK, /* process `index`: a message with a descriptor follows */
	GUARD_RESUME,
	GUARD_THREADS, /* of process `index` */
	GUARD_REAP,
	GUARD_RELEASE, /* process `index` */
};

struct guard_request {
	enum guard_verb verb;
	unsigned patience_ms;
	size_t index;
};

/* `size` bytes follow. */
struct guard_reply {
	int result;
	uint64_t value;
	size_t size;
	struct pidmem_error error;
};

/* All of it, or false: the other side has ended. */
bool message_send(int socket, const void *bytes, size_t size);
bool message_receive(int socket, void *bytes, size_t size);

/* The guard: serve until the client has gone, then put everything right. `client` is a pidfd of it, or -1. */
void guard_serve(int socket, int client);

#endif
