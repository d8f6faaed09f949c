/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What bytes look like, and cells that become larger without losing anything. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "survey/blocks.h"
#include "survey/cells.h"

static struct mapped mapped;
static struct block_reader reader;

static struct block_facts look(const unsigned char *bytes, size_t size)
{
	struct block_facts facts;

	blocks_read(&reader, 0, bytes, size, &facts);
	return facts;
}

static int prepare(void **state)
{
	(void)state;
	mapped.lowest = 0x7f0000001000;
	mapped.highest = 0x7f0040000fff;
	for (uint64_t unit = mapped.lowest >> 30; unit <= mapped.highest >> 30; unit++)
		mapped.bits[unit / 64] |= 1ULL << unit % 64;
	block_reader_init(&reader, &mapped);
	return 0;
}

/* Each byte on its own, at each place of a vector and behind the last one. */
static void test_sorts(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		unsigned char bytes[37];
		bool text = (byte >= 0x20 && byte < 0x7f) || (byte >= '\t' && byte <= '\r');

		memset(bytes, (int)byte, sizeof bytes);
		struct block_facts facts = look(bytes, sizeof bytes);
		assert_int_equal(facts.looked, sizeof bytes);
		assert_int_equal(facts.zeros, byte == 0 ? sizeof bytes : 0);
		assert_int_equal(facts.text, text ? sizeof bytes : 0);
		assert_int_equal(facts.high, byte >= 0x80 ? sizeof bytes : 0);
		assert_true(fabsf(facts.entropy) < 1e-3F);
	}
}

/* A whole block of one sort: the lanes that count do not run over. */
static void test_full_block(void **state)
{
	static unsigned char bytes[BLOCK];

	(void)state;
	memset(bytes, 'x', sizeof bytes);
	assert_int_equal(look(bytes, sizeof bytes).text, BLOCK);
	memset(bytes, 0xff, sizeof bytes);
	assert_int_equal(look(bytes, sizeof bytes).high, BLOCK);
}

static void test_entropy(void **state)
{
	static unsigned char bytes[BLOCK];

	(void)state;
	for (unsigned values = 1; values <= 256; values *= 2) {
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (unsigned char)(i % values);
		assert_true(fabs((double)look(bytes, sizeof bytes).entropy - log2(values)) < 1e-3);
	}
}

static void test_pointers(void **state)
{
	const uint64_t words[] = { 0x7f0000001000,
				   0x7f0040000fff,
				   0x7f0000000fff,
				   0x7f0040001000,
				   0,
				   1,
				   UINT64_MAX,
				   0x7f0020000000,
				   1ULL << 63 | 0x7f0020000000 };

	(void)state;
	assert_int_equal(look((const unsigned char *)words, sizeof words).pointers, 3 * sizeof words[0]);
}

static void test_cells_keep_their_sums(void **state)
{
	struct cells cells;
	uint64_t read = 0, start = 0;

	(void)state;
	assert_int_equal(cells_init(&cells, 1024, BLOCK), 0);
	for (uint64_t i = 0; i < 20000; i++) {
		start += BLOCK * (1 + i * i % 7);
		struct cell *cell = cells_at(&cells, start, i);
		cell->told.read += i;
		cell_add_entropy(cell, (double)(i % 9), 1);
		read += i;
	}
	assert_in_range(cells.count, 512, 1024);
	uint64_t sum = 0, sampled = 0, last = 0;
	double entropy = 0;
	for (size_t i = 0; i < cells.count; i++) {
		const struct cell *cell = &cells.cells[i];
		assert_int_equal(cell->told.size, cells.size);
		assert_int_equal(cell->told.start % cells.size, 0);
		assert_true(i == 0 || cell->told.start >= last + cells.size);
		last = cell->told.start;
		sum += cell->told.read;
		sampled += cell->sampled;
		entropy += cell->told.entropy * (double)cell->sampled;
	}
	assert_int_equal(sum, read);
	assert_int_equal(sampled, 20000);
	double expected = 0;
	for (unsigned i = 0; i < 20000; i++)
		expected += i % 9;
	assert_true(fabs(entropy - expected) < 1e-3);
	cells_done(&cells);
}

static void test_cells_at_the_top(void **state)
{
	struct cells cells;

	(void)state;
	assert_int_equal(cells_init(&cells, 1024, BLOCK), 0);
	assert_int_equal(cells_at(&cells, UINT64_MAX - 5, 0)->told.start, -4096ULL);
	assert_int_equal(cells_within(&cells, -4096ULL, 4096), 4096);
	cells_done(&cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorts),
		cmocka_unit_test(test_full_block),
		cmocka_unit_test(test_entropy),
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_cells_keep_their_sums),
		cmocka_unit_test(test_cells_at_the_top),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
