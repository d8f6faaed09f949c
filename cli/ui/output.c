/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct output stdout_buffer;

static const char hex_digits[] = "0123456789abcdef";

static void write_all(int fd, const char *bytes, size_t size)
{
	size_t done = 0;

	while (!stdout_buffer.error && done < size) {
		ssize_t written = write(fd, bytes + done, size - done);

		if (written > 0)
			done += (size_t)written;
		else if (written == 0)
			stdout_buffer.error = EIO;
		else if (errno != EINTR)
			stdout_buffer.error = errno;
	}
}

void output_flush(void)
{
	int fd = stdout_buffer.fd ? stdout_buffer.fd : STDOUT_FILENO;

	write_all(fd, stdout_buffer.buffer, stdout_buffer.used);
	if (fd == STDERR_FILENO) /* nobody can be told, and the result is not in it */
		stdout_buffer.error = 0;
	stdout_buffer.written += stdout_buffer.used;
	stdout_buffer.used = 0;
}

void output_to_stderr(void)
{
	stdout_buffer.fd = STDERR_FILENO;
}

int output_hold_back(void)
{
	int fd = memfd_create("pidmem-output", MFD_CLOEXEC);

	if (fd < 0)
		return errno;
	stdout_buffer.fd = fd;
	return 0;
}

static bool held_back(void)
{
	return stdout_buffer.fd > STDERR_FILENO;
}

void output_let_go(void)
{
	int fd = stdout_buffer.fd;
	ssize_t size;

	if (!held_back())
		return;
	output_flush();
	stdout_buffer.fd = 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		stdout_buffer.error = errno;
	while (!stdout_buffer.error && (size = read(fd, stdout_buffer.buffer, OUTPUT_SIZE)) > 0)
		write_all(STDOUT_FILENO, stdout_buffer.buffer, (size_t)size);
	close(fd);
}

int output_take(void)
{
	int fd = stdout_buffer.fd, number;

	output_flush();
	number = stdout_buffer.error;
	stdout_buffer.error = 0;
	stdout_buffer.fd = 0;
	stdout_buffer.written = 0;
	if (!number && lseek(fd, 0, SEEK_SET) < 0)
		number = errno;
	if (!number)
		return fd;
	close(fd);
	return -number;
}

int output_finish(void)
{
	static bool closed;

	output_flush();
	if (closed)
		return stdout_buffer.error;
	closed = true;
	/* Some file systems report a full disk only here (close(2)); nothing is put out after this. */
	if (close(STDOUT_FILENO) < 0 && !stdout_buffer.error)
		stdout_buffer.error = errno;
	return stdout_buffer.error;
}

bool output_failed(void)
{
	return stdout_buffer.error != 0;
}

bool output_untouched(void)
{
	return held_back() || stdout_buffer.written == 0;
}

void output_discard(void)
{
	stdout_buffer.used = 0;
	if (!held_back())
		return;
	close(stdout_buffer.fd);
	stdout_buffer.fd = 0;
	stdout_buffer.written = 0;
}

void output_bytes(const void *bytes, size_t size)
{
	const char *from = bytes;

	while (size) {
		size_t room = OUTPUT_SIZE - stdout_buffer.used;
		size_t part = size < room ? size : room;

		memcpy(stdout_buffer.buffer + stdout_buffer.used, from, part);
		stdout_buffer.used += part;
		from += part;
		size -= part;
		if (stdout_buffer.used == OUTPUT_SIZE)
			output_flush();
	}
}

void output_text(const char *text)
{
	output_bytes(text, strlen(text));
}

void output_pad(char byte, size_t count)
{
	while (count--)
		output_char(byte);
}

void output_format(const char *format, ...)
{
	char text[4096];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (length > 0)
		output_bytes(text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

char *put_text(char *at, const char *text)
{
	return stpcpy(at, text);
}

char *put_hex_fixed(char *at, uint64_t number, unsigned digits)
{
	for (unsigned i = digits; i-- > 0; number >>= 4)
		at[i] = hex_digits[number & 15];
	return at + digits;
}

char *put_hex(char *at, uint64_t number)
{
	unsigned digits = number ? (67U - (unsigned)__builtin_clzll(number)) / 4 : 1;

	return put_hex_fixed(at, number, digits);
}

char *put_decimal(char *at, uint64_t number)
{
	char digits[20];
	size_t first = sizeof(digits);

	do {
		digits[--first] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	memcpy(at, digits + first, sizeof(digits) - first);
	return at + sizeof(digits) - first;
}

void output_hex(uint64_t number)
{
	char digits[20] = "";

	output_bytes(digits, (size_t)(put_hex(digits, number) - digits));
}

void output_decimal(uint64_t number)
{
	char digits[20] = "";

	output_bytes(digits, (size_t)(put_decimal(digits, number) - digits));
}
