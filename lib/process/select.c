/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Selecting regions by kind, range, name and permissions. */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "process/maps.h"

enum term_type { BY_KIND, BY_RANGE, BY_NAME };

struct term {
	enum term_type type;
	bool leave_out;
	enum pidmem_kind kind;
	uint64_t first, last; /* inclusive */
	char *name;
	char perms[5];
};

struct pidmem_select {
	struct term *terms;
	size_t count, capacity;
	bool includes; /* some term is not a `!` one */
};

int pidmem_select_new(struct pidmem_error *error, struct pidmem_select **select)
{
	struct pidmem_select *made = calloc(1, sizeof *made);

	if (!made)
		return fail_memory(error);
	*select = made;
	return 0;
}

void pidmem_select_free(struct pidmem_select *select)
{
	if (!select)
		return;
	for (size_t i = 0; i < select->count; i++)
		free(select->terms[i].name);
	free(select->terms);
	free(select);
}

static bool parse_kind(const char *text, struct term *term)
{
	for (enum pidmem_kind kind = PIDMEM_KIND_ANON; kind <= PIDMEM_KIND_VDSO; kind++)
		if (!strcmp(text, pidmem_kind_name(kind))) {
			term->type = BY_KIND;
			term->kind = kind;
			return true;
		}
	return false;
}

static bool parse_address(const char **at, uint64_t *value)
{
	if (!strncmp(*at, "0x", 2))
		*at += 2;
	size_t digits = strspn(*at, "0123456789abcdefABCDEF");
	if (digits == 0 || (*at)[1] == 'x') /* strtoull() would take another 0x */
		return false;
	errno = 0;
	*value = strtoull(*at, NULL, 16);
	*at += digits;
	return errno == 0;
}

/* START-END: 1, 0 if it is something else, -EINVAL for an empty or overflowing range. */
static int parse_range(const char *text, struct term *term)
{
	const char *at = text;
	uint64_t end;

	if (strspn(text, "0123456789abcdefABCDEFxX-") != strlen(text) || !strchr(text, '-'))
		return 0;
	if (!parse_address(&at, &term->first) || *at++ != '-')
		return -EINVAL;
	if (!strcmp(at, "0x10000000000000000") || !strcmp(at, "10000000000000000"))
		end = 0;
	else if (!parse_address(&at, &end) || *at || end <= term->first)
		return -EINVAL;
	term->type = BY_RANGE;
	term->last = end - 1;
	return 1;
}

static int parse_name(const char *text, struct term *term)
{
	const char *colon = strrchr(text, ':');
	size_t letters = colon ? strlen(colon + 1) : 0;

	term->type = BY_NAME;
	if (colon && letters >= 1 && letters <= 4 && strspn(colon + 1, "rwxsp-") == letters)
		memcpy(term->perms, colon + 1, letters);
	else
		colon = NULL;
	term->name = colon ? strndup(text, (size_t)(colon - text)) : strdup(text);
	return term->name ? 0 : -ENOMEM;
}

int pidmem_select_add(struct pidmem_select *select, const char *text, struct pidmem_error *error)
{
	struct term term = { 0 };
	const char *body = text + (*text == '!');

	term.leave_out = *text == '!';
	if (!*body)
		return with_hint(error, fail(error, PIDMEM_USAGE, EINVAL, "a selection cannot be empty"),
				 "name a kind (heap stack anon file shared vdso), START-END, or NAME[:PERMS]");
	int range = parse_range(body, &term);
	if (range < 0)
		return with_hint(error, fail(error, PIDMEM_USAGE, EINVAL, "\"%s\" is not a range of addresses", body),
				 "write START-END in hex, START below END, as 7f31c8a00000-7f31c8a21000");
	if (!range && !parse_kind(body, &term) && parse_name(body, &term) < 0)
		return fail_memory(error);
	struct term *terms = array_grow(select->terms, select->count, &select->capacity, sizeof term);
	if (!terms) {
		free(term.name);
		return fail_memory(error);
	}
	select->terms = terms;
	terms[select->count++] = term;
	select->includes |= !term.leave_out;
	return 0;
}

static bool kind_matches(enum pidmem_kind kind, const struct pidmem_region *region)
{
	/* A file that is mapped MAP_SHARED is shared memory and a file. */
	return region->kind == kind ||
	       (kind == PIDMEM_KIND_FILE && region->kind == PIDMEM_KIND_SHARED && region_has_named_file(region));
}

static bool perms_match(const char *wanted, const struct pidmem_region *region)
{
	char perms[5] = "---p";

	for (size_t i = 0; i < 4; i++)
		if (region->perms & 1U << i)
			perms[i] = "rwxs"[i];
	if (strlen(wanted) == 4)
		return !strcmp(wanted, perms);
	for (; *wanted; wanted++)
		if (!strchr(perms, *wanted))
			return false;
	return true;
}

static bool name_matches(const char *name, const struct pidmem_region *region)
{
	const char *slash = region->path[0] == '/' ? strrchr(region->path, '/') : NULL;
	const char *base = slash ? slash + 1 : region->path;

	/* ":rw" names any region with these rights. "[heap]" is a name before it is a pattern. */
	return !*name || !strcmp(name, base) || !strcmp(name, region->path) ||
	       (region->path_size && fnmatch(name, base, 0) == 0) ||
	       (region->path_size && fnmatch(name, region->path, 0) == 0);
}

static bool term_matches(const struct term *term, const struct pidmem_region *region, uint64_t address)
{
	switch (term->type) {
	case BY_KIND:
		return kind_matches(term->kind, region);
	case BY_RANGE:
		return address >= term->first && address <= term->last;
	default:
		return name_matches(term->name, region) && perms_match(term->perms, region);
	}
}

/* The last address up to which no range of the selection begins or ends. */
static uint64_t same_until(const struct pidmem_select *select, uint64_t address, uint64_t last)
{
	for (size_t i = 0; i < select->count; i++) {
		const struct term *term = &select->terms[i];
		if (term->type != BY_RANGE)
			continue;
		if (term->first > address && term->first - 1 < last)
			last = term->first - 1;
		if (term->last >= address && term->last < last)
			last = term->last;
	}
	return last;
}

bool pidmem_select_test(const struct pidmem_select *select, const struct pidmem_region *region, uint64_t address,
			uint64_t *run)
{
	uint64_t last = region->start + (region->size - 1);
	bool in = !select || !select->includes, out = false;

	for (size_t i = 0; select && i < select->count; i++) {
		if (!term_matches(&select->terms[i], region, address))
			continue;
		if (select->terms[i].leave_out)
			out = true;
		else
			in = true;
	}
	if (run)
		*run = (select ? same_until(select, address, last) : last) - address + 1;
	return in && !out;
}

static bool any_selected(const struct pidmem_select *select, const struct pidmem_region *region)
{
	uint64_t run, done = 0;

	for (; done < region->size; done += run)
		if (pidmem_select_test(select, region, region->start + done, &run))
			return true;
	return false;
}

int pidmem_select_check(const struct pidmem_select *select, const struct pidmem_maps *maps, struct pidmem_error *error)
{
	for (size_t i = 0; i < maps->count; i++)
		if (any_selected(select, &maps->regions[i]))
			return 0;
	return with_hint(
		error, fail(error, PIDMEM_NO_MATCH, ENOENT, "no region fits the selection"),
		"a selection is heap, stack, anon, file, shared, vdso, START-END in hex or NAME[:PERMS]; maps shows "
		"the regions");
}
