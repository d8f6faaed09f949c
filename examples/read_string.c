/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read_string - print the C string at an address of another process */
#include <err.h>
#include <inttypes.h>
#include <pidmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 1: printed whole; 0: no NUL within the limit, or before memory that cannot be read. */
static int print_string(struct pidmem_source *source, uint64_t address)
{
	char text[4096];
	struct pidmem_error error;
	struct pidmem_span stop;
	ssize_t got = pidmem_source_read(source, address, text, sizeof text, &error, &stop);
	if (got < 0)
		errx(2, "%s", error.text);

	/* Fewer bytes than asked for are no failure: the string may end just before a hole. */
	size_t length = strnlen(text, (size_t)got);
	if (length < (size_t)got) {
		puts(text);
		return 1;
	}
	if ((size_t)got < sizeof text)
		warnx("no string at 0x%" PRIx64 ": after %zd bytes, at 0x%" PRIx64 ": %s", address, got, stop.start,
		      pidmem_why_text(stop.why));
	else
		warnx("no end within %zu bytes", sizeof text);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: read_string PID ADDRESS");

	struct pidmem_error error;
	struct pidmem_process *process;
	struct pidmem_source *source;
	uint64_t address;
	if (pidmem_process_open((pid_t)strtol(argv[1], NULL, 10), NULL, &error, &process) < 0 ||
	    pidmem_source_open(process, NULL, &error, &source) < 0 ||
	    pidmem_maps_resolve(pidmem_source_maps(source), argv[2], &error, &address) < 0)
		errx(2, "%s", error.text);

	int found = print_string(source, address);

	pidmem_source_close(source);
	pidmem_process_close(process);
	return found ? 0 : 1;
}
