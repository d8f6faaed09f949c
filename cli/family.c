/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "family.h"
#include "failure.h"

#include <stdlib.h>

bool family_add(struct family *family, const struct pidmem_descendant *one)
{
	struct pidmem_descendant *grown = reallocarray(family->items, family->count + 1, sizeof(*grown));

	if (!grown)
		return false;
	family->items = grown;
	family->items[family->count++] = *one;
	return true;
}

/* A process that is in neither list was left out, and so are its children. */
static bool is_known(const struct family *family, const pid_t *roots, size_t root_count, pid_t pid)
{
	for (size_t i = 0; i < root_count; i++)
		if (roots[i] == pid)
			return true;
	for (size_t i = 0; i < family->count; i++)
		if (family->items[i].pid == pid)
			return true;
	return false;
}

int family_find(const char *proc, const pid_t *roots, size_t root_count, pid_t without, struct family *family)
{
	struct pidmem_open_options options = PIDMEM_INIT(options);
	struct pidmem_descendants *all;
	const struct pidmem_descendant *one;
	struct pidmem_error error;
	int failed = 0;

	*family = (struct family){ NULL, 0 };
	options.proc = proc;
	if (pidmem_descendants_read(roots, root_count, &options, &error, &all) < 0)
		return fail_with(&error);
	for (size_t i = 0; !failed && (one = pidmem_descendants_get(all, i)); i++)
		if (one->pid != without && is_known(family, roots, root_count, one->parent) && !family_add(family, one))
			failed = fail("out of memory");
	pidmem_descendants_free(all);
	return failed;
}

pid_t family_root(const struct family *family, pid_t pid)
{
	for (size_t i = family->count; i-- > 0;) /* children stand behind their parents */
		if (family->items[i].pid == pid)
			pid = family->items[i].parent;
	return pid;
}

void family_free(struct family *family)
{
	free(family->items);
}
