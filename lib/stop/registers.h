/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The registers of stopped threads, packed into one piece of bytes that can be sent from the guard to its client. */
#ifndef STOP_REGISTERS_H
#define STOP_REGISTERS_H

#include "base/buffer.h"
#include "stop/guard.h"
#include "stop/stop_set.h"

/* Append what there is to know of the threads of a stopped process: 0 or -ENOMEM. The first thread comes first. */
int registers_pack(const struct stop_process *process, struct buffer *bytes);

/* Take the bytes apart; they are owned by the result on success. 0, -ENOMEM or -EBADMSG. */
int registers_unpack(struct buffer *bytes, struct stopped_threads **threads);

#endif
