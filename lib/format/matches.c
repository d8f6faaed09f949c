/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/matches.h"

#include <errno.h>
#include <string.h>

#define BYTE_ORDER_MARK 0x01020304U
#define LONGEST_NUMBER 10UL /* bytes */
#define PIECE (MATCHES_LARGEST + 65536)

struct head {
	char magic[8];
	uint32_t type, byte_order;
};
static const char magic[8] = { 'P', 'M', 'F', 'O', 'U', 'N', 'D', '1' };

int matches_put_head(struct buffer *out, enum pidmem_value_type type)
{
	struct head head = { .type = type, .byte_order = BYTE_ORDER_MARK };

	memcpy(head.magic, magic, sizeof magic);
	return buffer_append(out, &head, sizeof head);
}

static size_t put_number(char *at, uint64_t number)
{
	size_t size = 0;

	for (; number >= 0x80; number >>= 7)
		at[size++] = (char)(number | 0x80);
	at[size++] = (char)number;
	return size;
}

int matches_put(struct buffer *out, uint64_t distance, const void *bytes, size_t size)
{
	if (buffer_reserve(out, 2 * LONGEST_NUMBER + size) < 0)
		return -ENOMEM;
	out->size += put_number(out->bytes + out->size, distance);
	out->size += put_number(out->bytes + out->size, size);
	memcpy(out->bytes + out->size, bytes, size);
	out->size += size;
	return 0;
}

int matches_put_end(struct buffer *out, uint64_t count)
{
	const char zeros[2] = { 0 };

	return buffer_append(out, zeros, sizeof zeros) < 0 ? -ENOMEM : buffer_append(out, &count, sizeof count);
}

/* --------------------------------------------------------------------------------------------- reading --- */

void matches_reader_done(struct matches_reader *matches)
{
	free(matches->piece);
}

int matches_begin(struct matches_reader *matches, const struct byte_reader *reader)
{
	struct head head;

	*matches = (struct matches_reader){ .reader = reader, .offset = sizeof head };
	if (!reader_get(reader, 0, &head, sizeof head) || memcmp(head.magic, magic, sizeof magic) != 0 ||
	    head.byte_order != BYTE_ORDER_MARK || head.type > PIDMEM_TYPE_PTR)
		return -EBADMSG;
	matches->type = (enum pidmem_value_type)head.type;
	matches->piece = malloc(PIECE);
	return matches->piece ? 0 : -ENOMEM;
}

/* As many bytes as there can be of an entry, or all that are left. */
static void fill(struct matches_reader *matches)
{
	size_t held = matches->end - matches->at;

	if (held >= MATCHES_LARGEST + 2 * LONGEST_NUMBER || matches->offset >= matches->reader->size)
		return;
	memmove(matches->piece, matches->piece + matches->at, held);
	ssize_t got =
		matches->reader->read(matches->reader->user, matches->offset, matches->piece + held, PIECE - held);
	got = got > 0 ? got : 0;
	matches->offset += (uint64_t)got;
	matches->at = 0;
	matches->end = held + (size_t)got;
}

static bool get_number(struct matches_reader *matches, uint64_t *number)
{
	*number = 0;
	for (unsigned shift = 0; shift < 64 && matches->at < matches->end; shift += 7) {
		unsigned char byte = matches->piece[matches->at++];
		if (shift == 63 && byte > 1)
			return false;
		*number |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/* The number of entries, and nothing behind it. */
static int check_end(struct matches_reader *matches)
{
	uint64_t count;

	if (matches->end - matches->at != sizeof count)
		return -EBADMSG;
	memcpy(&count, matches->piece + matches->at, sizeof count);
	matches->ended = true;
	return count == matches->count ? 0 : -EBADMSG;
}

int matches_next(struct matches_reader *matches, struct saved_match *match)
{
	uint64_t distance, size, address, last;

	if (matches->ended)
		return 0;
	fill(matches);
	if (!get_number(matches, &distance) || !get_number(matches, &size))
		return -EBADMSG;
	if (size == 0)
		return distance ? -EBADMSG : check_end(matches);
	if (size > MATCHES_LARGEST || size > matches->end - matches->at || (matches->type && size > sizeof(uint64_t)) ||
	    __builtin_add_overflow(matches->address, distance, &address) ||
	    __builtin_add_overflow(address, size - 1, &last))
		return -EBADMSG;
	*match = (struct saved_match){ address, (size_t)size, matches->piece + matches->at };
	matches->at += (size_t)size;
	matches->address = address;
	matches->count++;
	return 1;
}
