/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "selection.h"
#include "failure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "heap:rw" would be the permissions of a file that is called heap: nobody means that. */
static int check_kind(const char *term)
{
	const char *body = term + (*term == '!'), *colon = strchr(body, ':');

	for (int kind = 0; colon && kind <= PIDMEM_KIND_VDSO; kind++) {
		const char *name = pidmem_kind_name((enum pidmem_kind)kind);

		if (strlen(name) != (size_t)(colon - body) || strncmp(name, body, strlen(name)) != 0)
			continue;
		fail("-R \"%s\": the kind %s takes no permissions", term, name);
		if (kind == PIDMEM_KIND_HEAP || kind == PIDMEM_KIND_STACK)
			hint("a name takes them: -R '[%s]%s'; a file of the name %s is '*/%s'", name, colon, name,
			     name);
		else
			hint("any region with these permissions is -R '%s'; a file of the name %s is '*/%s'", colon,
			     name, name);
		return EXIT_FAILED;
	}
	return 0;
}

int selection_add(struct invocation *invocation, const char *term)
{
	struct pidmem_error error;
	const char **terms;

	if (check_kind(term))
		return EXIT_FAILED;
	if (!invocation->select && pidmem_select_new(&error, &invocation->select) < 0)
		return fail_with(&error);
	if (pidmem_select_add(invocation->select, term, &error) < 0)
		return fail_with(&error);
	terms = reallocarray(invocation->terms, invocation->term_count + 1, sizeof(*terms));
	if (!terms)
		return fail("out of memory");
	terms[invocation->term_count++] = term;
	invocation->terms = terms;
	return 0;
}

bool region_selected(const struct pidmem_select *select, const struct pidmem_region *region)
{
	uint64_t done = 0, run;

	for (; select && done < region->size; done += run)
		if (pidmem_select_test(select, region, region->start + done, &run))
			return true;
	return !select;
}

static bool fits(const struct pidmem_select *select, const struct pidmem_maps *maps)
{
	const struct pidmem_region *region;

	for (size_t i = 0; (region = pidmem_maps_get(maps, i)); i++)
		if (region_selected(select, region))
			return true;
	return false;
}

/* What a term names, whether it is to be taken or left out. */
static bool term_fits(const char *term, const struct pidmem_maps *maps)
{
	struct pidmem_select *alone;
	bool result;

	if (pidmem_select_new(NULL, &alone) < 0)
		return true;
	result = pidmem_select_add(alone, term + (*term == '!'), NULL) < 0 || fits(alone, maps);
	pidmem_select_free(alone);
	return result;
}

int selection_fits_nothing(const struct invocation *invocation, const struct target *target)
{
	char terms[1024] = "";
	size_t used = 0;
	bool list = false;

	for (size_t i = 0; i < invocation->term_count && used < sizeof(terms); i++) {
		used += (size_t)snprintf(terms + used, sizeof(terms) - used, " -R \"%s\"", invocation->terms[i]);
		list |= strchr(invocation->terms[i], ',') != NULL;
	}
	fail("no region of %s fits%s", target->words, terms);
	if (list)
		hint("a term is one selection: for several repeat the option, -R heap -R stack");
	hint("`pidmem maps %s` lists the regions; `pidmem help` tells what -R takes", invocation->operands[0]);
	return EXIT_FAILED;
}

int selection_check(const struct invocation *invocation, const struct target *target, const struct pidmem_maps *maps)
{
	if (!invocation->select)
		return 0;
	if (!fits(invocation->select, maps))
		return selection_fits_nothing(invocation, target);
	for (size_t i = 0; i < invocation->term_count; i++)
		if (!term_fits(invocation->terms[i], maps))
			warn("-R \"%s\" fits no region of %s", invocation->terms[i], target->words);
	return 0;
}
