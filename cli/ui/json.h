/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON to standard output, member by member. A tree (as jansson wants) of the regions of a large process, or of the
 * bytes of a large range, would take more memory than pidmem may use, so the text is written as it comes.
 * Inside an array `key` is NULL.
 */
#ifndef UI_JSON_H
#define UI_JSON_H

#include "command.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The outermost object, with "pidmem" and "command" and, unless it is 0, "target". */
void json_begin(const struct invocation *invocation, pid_t target);
/* Closes it, and the line. */
void json_finish(void);

void json_object(const char *key);
void json_object_end(void);
void json_array(const char *key);
void json_array_end(void);

void json_text(const char *key, const char *text);
/* Bytes that need not be UTF-8: the wrong ones appear as \xHH in the text, and KEY_hex has all of them. */
void json_bytes(const char *key, const char *bytes, size_t size);
/* Bytes, two hex digits each. */
void json_hex(const char *key, const void *bytes, size_t size);
void json_number(const char *key, uint64_t number);
void json_bool(const char *key, bool value);
void json_null(const char *key);
/* What is not known is null: no text, or a number that is not `known`. */
void json_text_or_null(const char *key, const char *text);
void json_number_or_null(const char *key, uint64_t number, bool known);
/* An address, as "0x..." */
void json_address(const char *key, uint64_t address);
/* The end of a range, which may be 2^64. */
void json_end_address(const char *key, uint64_t start, uint64_t size);

/* Values of one size, by their bytes in the order of this machine, as a string in base64. */
struct base64 {
	unsigned char held[3];
	unsigned count;
};
void json_open_base64(const char *key, struct base64 *base64);
void json_add_base64(struct base64 *base64, const void *bytes, size_t size);
void json_close_base64(struct base64 *base64);

/* A string that is written in parts: the caller puts out what needs no escaping in between. */
void json_open_text(const char *key);
void json_add_text(const char *text);
void json_close_text(void);

#endif
