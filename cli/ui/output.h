/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Standard output through one large buffer. The first write that fails is remembered and told by output_finish();
 * what is written afterwards is dropped.
 */
#ifndef UI_OUTPUT_H
#define UI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTPUT_SIZE 65536

extern struct output {
	int fd;           /* 0: standard output */
	uint64_t written; /* bytes that left the buffer */
	size_t used;
	int error; /* errno of the first write that failed */
	char buffer[OUTPUT_SIZE];
} stdout_buffer;

void output_flush(void);
/* Standard output is taken by something else: what is put out is a report for people. */
void output_to_stderr(void);
/* Keep what is put out until output_let_go(), in a file without a name. 0, or the errno. */
int output_hold_back(void);
void output_let_go(void);
/* The file with what was kept, from its beginning, to be closed by the caller; standard output is as it was before. Or
 * -errno. */
int output_take(void);
/* Flush and close, once; 0, or the errno of the first write that failed. */
int output_finish(void);
/* A write has failed: the rest of a long result is not worth producing. */
bool output_failed(void);
/* Nothing has reached standard output yet. */
bool output_untouched(void);
/* Forget what has not been written yet; what was kept back is let go. */
void output_discard(void);

static inline void output_char(char byte)
{
	if (stdout_buffer.used == OUTPUT_SIZE)
		output_flush();
	stdout_buffer.buffer[stdout_buffer.used++] = byte;
}

void output_bytes(const void *bytes, size_t size);
void output_text(const char *text);
void output_pad(char byte, size_t count);
void output_hex(uint64_t number);
void output_decimal(uint64_t number);
void output_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How many bytes were put out so far. */
static inline uint64_t output_position(void)
{
	return stdout_buffer.written + stdout_buffer.used;
}

/* Put something at `at` and return the end, where a NUL may follow: for those who build their own rows. */
char *put_text(char *at, const char *text);
char *put_hex(char *at, uint64_t number);
char *put_decimal(char *at, uint64_t number);
/* Exactly `digits` digits, with leading zeros. */
char *put_hex_fixed(char *at, uint64_t number, unsigned digits);

#endif
