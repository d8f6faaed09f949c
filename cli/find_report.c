/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Matches, as lines. */
#include "find.h"
#include "ui/colour.h"
#include "ui/json.h"
#include "ui/output.h"
#include "ui/region.h"
#include "ui/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Of longer matches the beginning is shown to people. */
#define MOST_SHOWN 256
#define ELLIPSIS "…"

/* "[heap]+0x1f20"; of memory without a name its kind, and how far from the beginning of the region it is. */
static void put_place(const struct pidmem_maps *maps, const struct pidmem_match *match)
{
	char text[4200];

	if (pidmem_maps_describe(maps, match->address, text, sizeof(text)) > 0)
		output_escaped(text, strlen(text));
	else
		output_format("%s+0x%" PRIx64, pidmem_kind_name(match->region->kind),
			      match->address - match->region->start);
}

/* Fit for one line: what is no text is a dot, as in a hexdump. */
static void put_preview_bytes(const unsigned char *bytes, size_t size)
{
	while (size) {
		size_t length = utf8_length(bytes, size);

		if (length < 2) {
			output_char(bytes[0] >= ' ' && bytes[0] < 0x7f ? (char)bytes[0] : '.');
			length = 1;
		} else {
			output_escaped((const char *)bytes, length);
		}
		bytes += length;
		size -= length;
	}
}

static void put_value(enum pidmem_value_type type, const unsigned char *bytes, size_t size)
{
	uint64_t number = 0;
	double large;
	float small;

	memcpy(&number, bytes, size < sizeof(number) ? size : sizeof(number));
	memcpy(&large, &number, sizeof(large));
	memcpy(&small, &number, sizeof(small));
	if (type == PIDMEM_TYPE_PTR)
		output_format("0x%" PRIx64, number);
	else if (type == PIDMEM_TYPE_F32)
		output_format("%.9g", (double)small);
	else if (type == PIDMEM_TYPE_F64)
		output_format("%.17g", large);
	else if (type >= PIDMEM_TYPE_I8)
		output_format("%" PRId64, (int64_t)(number << (64 - 8 * size)) >> (64 - 8 * size));
	else
		output_format("%" PRIu64, number);
}

static void put_preview(const struct pidmem_match *match)
{
	size_t shown = match->length < MOST_SHOWN ? match->length : MOST_SHOWN;
	const unsigned char *bytes = match->bytes + match->before;
	bool cut = shown < match->length;

	if (match->before)
		output_text(ELLIPSIS);
	put_preview_bytes(match->bytes, match->before);
	output_text(colour_stdout(COLOUR_TITLE));
	put_preview_bytes(bytes, shown);
	output_text(colour_stdout(COLOUR_END));
	if (!cut)
		put_preview_bytes(bytes + match->length, match->behind);
	if (cut || match->behind)
		output_text(ELLIPSIS);
}

/* "needle:$a"; of a rule that fits without any match its name alone. */
static void name_rule(const struct pidmem_match *match, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s", match->rule, match->string ? ":" : "", match->string ? match->string : "");
}

void find_report_text(const struct find_wish *wish, const struct pidmem_maps *maps, const struct pidmem_match *match)
{
	enum pidmem_value_type type = wish->value_type;
	char perms[8], rule[512];

	if (match->rule)
		name_rule(match, rule, sizeof(rule));
	if (!match->region) {
		output_format("%s  fits without a match\n", rule);
		return;
	}
	*put_perms(perms, match->region) = '\0';
	output_format("0x%" PRIx64 "  ", match->address);
	put_place(maps, match);
	output_format("  %s  ", perms);
	if (match->rule)
		output_format("%s  ", rule);
	if (type) {
		put_value(type, match->bytes + match->before, match->length);
		if (match->was && match->was_length == match->length) {
			output_text("  was ");
			put_value(type, match->was, match->was_length);
		}
	} else {
		put_preview(match);
	}
	output_char('\n');
}

/* The name as a path has it, without the offset; the offset is counted from the lowest region of that name. */
static void put_region(const struct pidmem_maps *maps, const struct pidmem_match *match)
{
	char text[4200], *plus = NULL;
	uint64_t offset = match->address - match->region->start;

	if (pidmem_maps_describe(maps, match->address, text, sizeof(text)) > 0)
		plus = strrchr(text, '+');
	if (plus)
		sscanf(plus, "+0x%" SCNx64, &offset);
	json_bytes("region", match->region->path, match->region->path_size);
	json_address("offset", offset);
}

static void put_where(const struct pidmem_maps *maps, const struct pidmem_match *match)
{
	char perms[8];

	if (!match->region) {
		json_null("address");
		json_null("region");
		json_null("offset");
		json_null("perms");
		return;
	}
	*put_perms(perms, match->region) = '\0';
	json_address("address", match->address);
	put_region(maps, match);
	json_text("perms", perms);
}

void find_report_json(const struct invocation *invocation, const struct find_wish *wish, const struct pidmem_maps *maps,
		      const struct pidmem_match *match)
{
	const unsigned char *bytes = match->bytes + match->before;
	char rule[512];

	json_begin(invocation, 0);
	put_where(maps, match);
	json_number("length", match->length);
	json_hex("bytes", bytes, match->length);
	if (match->rule) {
		name_rule(match, rule, sizeof(rule));
		json_text("pattern", rule);
	} else if (wish->count) {
		json_bytes("pattern", wish->texts[match->pattern].text, strlen(wish->texts[match->pattern].text));
	} else {
		json_null("pattern");
	}
	if (wish->context) {
		json_hex("before", match->bytes, match->before);
		json_hex("behind", bytes + match->length, match->behind);
	}
	if (match->was)
		json_hex("was", match->was, match->was_length);
	json_finish();
}
