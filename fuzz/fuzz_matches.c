/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file of saved matches: whatever it holds, they come in order, within bounds; a good one can be written again. */
#include "format/matches.h"
#include "fuzz_reader.h"

/* The same matches; numbers may have been longer than they need. */
static void check_again(const struct buffer *again, uint64_t count)
{
	struct input input = { (const uint8_t *)again->bytes, again->size };
	struct byte_reader reader = { read_input, &input, again->size };
	struct matches_reader matches;
	struct saved_match match;

	MUST(matches_begin(&matches, &reader) == 0);
	while (matches_next(&matches, &match) == 1)
		count--;
	MUST(count == 0 && matches.ended);
	matches_reader_done(&matches);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct byte_reader reader = { read_input, &input, size };
	struct matches_reader matches;
	struct saved_match match;
	struct buffer again = { 0 };
	uint64_t last = 0;
	int result = matches_begin(&matches, &reader);

	if (result == 0) {
		MUST(matches_put_head(&again, matches.type) == 0);
		while ((result = matches_next(&matches, &match)) == 1) {
			MUST(match.address >= last && match.size && match.address + (match.size - 1) >= match.address);
			MUST(matches_put(&again, match.address - last, match.bytes, match.size) == 0);
			last = match.address;
		}
		MUST(matches_put_end(&again, matches.count) == 0);
		if (result == 0)
			check_again(&again, matches.count);
	}
	matches_reader_done(&matches);
	buffer_done(&again);
	return 0;
}
