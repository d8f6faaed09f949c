/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A userfaultfd(2) on the address space of a stopped process, by which its writes can be tracked. */
#ifndef STOP_TRACKING_H
#define STOP_TRACKING_H

#include "stop/stop_set.h"

/*
 * A descriptor of ours, or why there is none: as copy_make() has it; -EMFILE if the process may open no more files;
 * -EPERM, -ENOSYS or another -errno of the calls. The process itself keeps none.
 */
int tracking_open(const struct stop_process *process);

/* Send a descriptor over a socket, and receive it: -errno. */
int tracking_send(int socket, int fd);
int tracking_receive(int socket);

#endif
