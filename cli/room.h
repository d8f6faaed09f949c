/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is there room on the disk for what is to be written? */
#ifndef CLI_ROOM_H
#define CLI_ROOM_H

#include "moment.h"

/*
 * Before anything is stopped: for the processes that were named, in a directory (NULL: a pipe). `rules`: only what core
 * files have by default. What is compressed may well become small enough: nothing is said then. If all of it should not
 * be copied there at once, for lack of room or because of --max-size, --rate, --nice or -z, the moment notes why
 * (by_clone), and a clone is preferred, unless pre-copy was asked for. *how gets the directory where pre-copy is
 * possible then: where there is room, and --max-size is enough. 0, or EXIT_FAILED after a message.
 */
int room_check(struct moment *moment, const char *directory, bool rules, struct pidmem_freeze_options *how);

#endif
