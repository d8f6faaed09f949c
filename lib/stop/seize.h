/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking threads under control without stopping them, and the news of those that are. */
#ifndef STOP_SEIZE_H
#define STOP_SEIZE_H

#include "stop/stop_set.h"

/* Seize the threads of a process of this set that are not known yet: how many, or -errno as stop_set_stop() has it. */
int seize_new(struct stop_set *set, struct stop_process *process, struct pidmem_error *error);

/* Put the tracees in the order of their TIDs. */
void seize_sort(struct stop_process *process);

/* Take note of all threads that have stopped or ended. Has any ended? */
bool seize_news(struct stop_set *set);

#endif
