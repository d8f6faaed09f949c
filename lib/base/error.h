/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filling a struct pidmem_error. All return a negative errno, so that `return fail_...(...)` is one line. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "pidmem.h"

#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))

/* A failure that is not a system call's: code, text; returns -error_number. Of PIDMEM_ACCESS and PIDMEM_UNSUPPORTED the
 * number is told as well: EACCES and EPERM come from different rules, and what is not possible has many reasons. */
int fail(struct pidmem_error *error, enum pidmem_code code, int error_number, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* A failed system call: "TEXT: strerror(number)"; returns -number. */
int fail_sys(struct pidmem_error *error, int number, const char *format, ...) PRINTF_LIKE(3, 4);

int fail_memory(struct pidmem_error *error);

/* Add the way out to an error just filled; returns `result` unchanged. */
int with_hint(struct pidmem_error *error, int result, const char *format, ...) PRINTF_LIKE(3, 4);

/* Add the address concerned; returns `result` unchanged. */
int with_address(struct pidmem_error *error, int result, uint64_t address);

#endif
