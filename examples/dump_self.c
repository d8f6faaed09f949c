/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dump_self - write what this process can read of its own memory to a file
 *
 * The script everybody writes first - read /proc/PID/maps, seek in /proc/PID/mem, copy - with the parts that it
 * usually lacks: memory never touched is not touched now, and what could not be read is told.
 */
#include <err.h>
#include <inttypes.h>
#include <pidmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void write_spans(struct pidmem_walk *walk, struct pidmem_account *account, FILE *output)
{
	struct pidmem_error error;
	struct pidmem_span span;
	int more;

	while ((more = pidmem_walk_next(walk, &error, &span)) > 0) {
		if (span.class_ == PIDMEM_READ && fwrite(span.bytes, 1, span.size, output) != span.size)
			err(2, "cannot write");
		if (pidmem_account_add(account, &span, &error) < 0)
			errx(2, "%s", error.text);
	}
	if (more < 0)
		errx(2, "%s", error.text);
}

static void print_account(const struct pidmem_account *account)
{
	const struct pidmem_totals *totals = pidmem_account_totals(account);

	for (int i = 0; i < PIDMEM_CLASSES; i++)
		printf("%-10s %20" PRIu64 " bytes\n", pidmem_class_name((enum pidmem_class)i), totals->by_class[i]);
	printf("%-10s %20" PRIu64 " bytes\n", "total", totals->total);

	for (size_t i = 0; i < pidmem_account_hole_count(account); i++) {
		const struct pidmem_hole *hole = pidmem_account_hole(account, i);
		printf("hole at 0x%" PRIx64 ", %" PRIu64 " bytes: %s\n", hole->start, hole->size,
		       pidmem_why_text(hole->why));
	}
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: dump_self FILE");
	FILE *output = fopen(argv[1], "wxe");
	if (!output)
		err(2, "%s", argv[1]);

	struct pidmem_error error;
	struct pidmem_process *process;
	struct pidmem_source *source;
	struct pidmem_walk *walk;
	struct pidmem_account *account;
	if (pidmem_process_open(getpid(), NULL, &error, &process) < 0 ||
	    pidmem_source_open(process, NULL, &error, &source) < 0 ||
	    pidmem_walk_open(source, 0, UINT64_MAX, 0, &error, &walk) < 0 || pidmem_account_new(&error, &account) < 0)
		errx(2, "%s", error.text);

	write_spans(walk, account, output);
	if (fclose(output) != 0)
		err(2, "%s", argv[1]);
	print_account(account);

	pidmem_account_free(account);
	pidmem_walk_close(walk);
	pidmem_source_close(source);
	pidmem_process_close(process);
	return 0;
}
