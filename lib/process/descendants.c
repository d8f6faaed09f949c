/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The descendants of processes as a list for others: as they are at the moment, and without an exception. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "process/children.h"
#include "process/process.h"

struct pidmem_descendants {
	struct pidmem_descendant *items;
	size_t count;
};

void pidmem_descendants_free(struct pidmem_descendants *descendants)
{
	if (!descendants)
		return;
	free(descendants->items);
	free(descendants);
}
DEFINE_CLEANUP(cleanup_descendants, struct pidmem_descendants *, pidmem_descendants_free)

static struct pidmem_descendant describe(const struct parentage *all, pid_t pid)
{
	while (all->pid != pid)
		all++;
	return (struct pidmem_descendant){ .pid = all->pid, .parent = all->parent, .ended = all->ended };
}

int pidmem_descendants_read(const pid_t *pids, size_t count, const struct pidmem_open_options *given,
			    struct pidmem_error *error, struct pidmem_descendants **out)
{
	struct pidmem_open_options options;
	AUTO_FREE struct parentage *all = NULL;
	size_t all_count, found = count;
	int result = options_take(&options, sizeof options, given, error);

	if (result < 0)
		return result;
	for (size_t i = 0; i < count; i++)
		if (pids[i] <= 0)
			return fail(error, PIDMEM_USAGE, EINVAL, "%d cannot be a process ID", pids[i]);
	const char *proc = options.proc ? options.proc : "/proc";
	result = parentage_list(proc, &all, &all_count);
	if (result < 0)
		return result == -ENOMEM ? fail_memory(error)
					 : fail_sys(error, -result, "cannot list the processes in %s", proc);
	AUTO_FREE pid_t *selected = calloc(count + all_count + 1, sizeof *selected);
	CLEANUP(cleanup_descendants) struct pidmem_descendants *descendants = calloc(1, sizeof *descendants);
	if (descendants)
		descendants->items = calloc(all_count + 1, sizeof *descendants->items);
	if (!selected || !descendants || !descendants->items)
		return fail_memory(error);
	if (count)
		memcpy(selected, pids, count * sizeof *pids);
	children_select(all, all_count, 0, selected, &found);
	for (size_t i = count; i < found; i++)
		descendants->items[descendants->count++] = describe(all, selected[i]);
	*out = take(descendants);
	return 0;
}

size_t pidmem_descendants_count(const struct pidmem_descendants *descendants)
{
	return descendants->count;
}

const struct pidmem_descendant *pidmem_descendants_get(const struct pidmem_descendants *descendants, size_t index)
{
	return index < descendants->count ? &descendants->items[index] : NULL;
}
