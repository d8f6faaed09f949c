/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields of the texts of /proc, that stand behind each other with blanks in between. */
#ifndef PROCESS_FIELD_H
#define PROCESS_FIELD_H

#include <stdint.h>

/* What is left of a line, or of the whole text. */
struct cursor {
	const char *at, *end;
};

void field_skip_blanks(struct cursor *cursor);
/* An unsigned number that is not above `max`, with the blanks before it. All return 0 or -EBADMSG. */
int field_number(struct cursor *cursor, unsigned base, uint64_t max, uint64_t *number);
/* A pid_t. */
int field_pid(struct cursor *cursor, void *out);
/* The letter that stands for the state of a process, a char. */
int field_state(struct cursor *cursor, void *out);

#endif
