/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static PRINTF_LIKE(4, 0) void fill(struct pidmem_error *error, enum pidmem_code code, int sys, const char *format,
				   va_list arguments)
{
	if (!error)
		return;
	*error = (struct pidmem_error){ .code = code, .sys = sys };
	vsnprintf(error->text, sizeof error->text, format, arguments);
}

/* The reason is what counts: a long name gives way to it. */
static void add_reason(struct pidmem_error *error, const char *reason)
{
	size_t room = sizeof error->text - sizeof "...: " - strlen(reason), length = strlen(error->text);
	const char *cut = length > room ? "..." : "";

	length = length > room ? room : length;
	snprintf(error->text + length, sizeof error->text - length, "%s: %s", cut, reason);
}

int fail(struct pidmem_error *error, enum pidmem_code code, int error_number, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	bool told = code == PIDMEM_ACCESS || code == PIDMEM_UNSUPPORTED;
	fill(error, code, told ? error_number : 0, format, arguments);
	va_end(arguments);
	return -error_number;
}

int fail_sys(struct pidmem_error *error, int number, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fill(error, PIDMEM_SYSTEM, number, format, arguments);
	va_end(arguments);
	if (error)
		add_reason(error, strerrordesc_np(number));
	return -number;
}

int fail_memory(struct pidmem_error *error)
{
	return fail_sys(error, ENOMEM, "no memory left for pidmem itself");
}

int with_hint(struct pidmem_error *error, int result, const char *format, ...)
{
	if (!error)
		return result;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error->hint, sizeof error->hint, format, arguments);
	va_end(arguments);
	return result;
}

int with_address(struct pidmem_error *error, int result, uint64_t address)
{
	if (error)
		error->address = address;
	return result;
}
