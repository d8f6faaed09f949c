/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "survey/blocks.h"

#include <string.h>

/* Vectors of gcc and clang, on each architecture; memory is to be looked at as fast as it is copied. */
typedef uint8_t lanes __attribute__((vector_size(16)));
#define LANES sizeof(lanes)
/* So many vectors are counted before a lane of 8 bits is full. */
#define ROUND (128 * LANES)

static double log2_of(unsigned number)
{
	int whole = 31 - __builtin_clz(number);
	double rest = (double)number / (double)(1U << whole), result = whole, bit = 0.5;

	for (int i = 0; i < 30; i++) {
		rest *= rest;
		if (rest >= 2) {
			rest /= 2;
			result += bit;
		}
		bit /= 2;
	}
	return result;
}

void block_reader_init(struct block_reader *reader, const struct mapped *mapped)
{
	reader->mapped = mapped;
	reader->every = 1;
	reader->first = false;
	reader->terms[0] = 0;
	for (unsigned i = 1; i <= BLOCK; i++)
		reader->terms[i] = (float)(i * log2_of(i));
}

static unsigned sum(lanes counts)
{
	unsigned total = 0;

	for (size_t i = 0; i < LANES; i++)
		total += counts[i];
	return total;
}

/* Text is what people read: printable ASCII, and white space from tab to carriage return. */
static void count_vectors(const unsigned char *bytes, size_t size, struct block_facts *facts)
{
	while (size) {
		size_t round = size < ROUND ? size : ROUND;
		lanes zeros = { 0 }, text = { 0 }, high = { 0 };

		for (size_t i = 0; i < round; i += LANES) {
			lanes value;

			memcpy(&value, bytes + i, sizeof value);
			zeros -= (lanes)(value == 0);
			high += value >> 7;
			text -= (lanes)((lanes)(value - 0x20) < 0x5f) | (lanes)((lanes)(value - '\t') < 5);
		}
		facts->zeros += (uint16_t)sum(zeros);
		facts->text += (uint16_t)sum(text);
		facts->high += (uint16_t)sum(high);
		bytes += round;
		size -= round;
	}
}

static void count_bytes(const unsigned char *bytes, size_t size, struct block_facts *facts)
{
	for (size_t i = 0; i < size; i++) {
		facts->zeros += bytes[i] == 0;
		facts->high += bytes[i] >> 7;
		facts->text += (bytes[i] >= 0x20 && bytes[i] < 0x7f) || (bytes[i] >= '\t' && bytes[i] <= '\r');
	}
}

static void count_pointers(const struct mapped *mapped, const unsigned char *bytes, size_t size,
			   struct block_facts *facts)
{
	uint64_t word, length = mapped->highest - mapped->lowest;
	unsigned count = 0;

	for (size_t i = 0; i + sizeof word <= size; i += sizeof word) {
		memcpy(&word, bytes + i, sizeof word);
		if (word - mapped->lowest <= length)
			count += mapped->bits[word >> 36] >> (word >> 30 & 63) & 1;
	}
	facts->pointers = (uint16_t)(count * sizeof word);
}

/*
 * Shannon's, of single bytes. Four tables: the same byte twice in a row does not wait for itself. Loads of eight
 * bytes: one by one they take half as long again.
 */
static float entropy(const struct block_reader *reader, const unsigned char *bytes, size_t size)
{
	uint16_t counts[4][256] = { { 0 } };
	float terms = 0;
	uint64_t word;
	size_t done = 0;

	for (; done + sizeof word <= size; done += sizeof word) {
		memcpy(&word, bytes + done, sizeof word);
		counts[0][word & 0xff]++;
		counts[1][word >> 8 & 0xff]++;
		counts[2][word >> 16 & 0xff]++;
		counts[3][word >> 24 & 0xff]++;
		counts[0][word >> 32 & 0xff]++;
		counts[1][word >> 40 & 0xff]++;
		counts[2][word >> 48 & 0xff]++;
		counts[3][word >> 56]++;
	}
	for (; done < size; done++)
		counts[0][bytes[done]]++;
	for (size_t i = 0; i < 256; i++)
		terms += reader->terms[counts[0][i] + counts[1][i] + counts[2][i] + counts[3][i]];
	return (reader->terms[size] - terms) / (float)size;
}

static void count(const struct mapped *mapped, const unsigned char *block, size_t size, struct block_facts *facts)
{
	size_t even = size & ~(LANES - 1);

	facts->looked = (uint16_t)size;
	count_vectors(block, even, facts);
	count_bytes(block + even, size - even, facts);
	count_pointers(mapped, block, size, facts);
}

void blocks_read(const struct block_reader *reader, uint64_t address, const unsigned char *bytes, size_t size,
		 struct block_facts *facts)
{
	uint64_t some = reader->every > 4 ? reader->every / 4 : 1;

	for (size_t done = 0; done < size; done += BLOCK, facts++) {
		size_t length = size - done < BLOCK ? size - done : BLOCK;
		uint64_t number = (address + done) / BLOCK;

		*facts = (struct block_facts){ .size = (uint16_t)length, .entropy = -1 };
		if (!done || number % some == 0)
			count(reader->mapped, bytes + done, length, facts);
		if (number % reader->every == 0 || (!done && reader->first))
			facts->entropy = entropy(reader, bytes + done, length);
	}
}
