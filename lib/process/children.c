/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/children.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "process/process.h"
#include "process/status.h"

static bool is_among(const pid_t *pids, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

void children_select(const struct parentage *all, size_t all_count, pid_t childless, pid_t *pids, size_t *count)
{
	for (size_t next = 0; next < *count; next++)
		for (size_t i = 0; i < all_count && pids[next] != childless; i++)
			if (all[i].parent == pids[next] && !is_among(pids, *count, all[i].pid))
				pids[(*count)++] = all[i].pid;
}

struct list {
	struct parentage *items;
	size_t count, capacity;
};

/* One entry of /proc; what has ended meanwhile is passed over. */
static int add(struct list *list, int proc, const char *name)
{
	AUTO_BUFFER text = { 0 };
	struct process_stat stat;
	char path[300];

	snprintf(path, sizeof path, "%s/stat", name);
	if (buffer_read_file(&text, proc, path) < 0 || stat_parse(text.bytes, text.size, &stat) < 0)
		return 0;
	struct parentage *grown = array_grow(list->items, list->count, &list->capacity, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	list->items = grown;
	list->items[list->count++] = (struct parentage){ stat.pid, stat.ppid };
	return 0;
}

int children_find(const pid_t *roots, size_t root_count, pid_t **out, size_t *out_count)
{
	AUTO_DIR proc = open_directory_at(AT_FDCWD, "/proc");
	struct list list = { 0 };
	int result = proc ? 0 : -errno;

	for (const struct dirent *entry; result == 0 && (entry = readdir(proc));)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			result = add(&list, dirfd(proc), entry->d_name);
	AUTO_FREE struct parentage *items = list.items;
	AUTO_FREE pid_t *pids = calloc(root_count + list.count + 1, sizeof *pids);
	if (result < 0 || !pids)
		return result < 0 ? result : -ENOMEM;
	memcpy(pids, roots, root_count * sizeof *roots);
	size_t count = root_count;
	children_select(items, list.count, getpid(), pids, &count);
	*out_count = count - root_count;
	memmove(pids, pids + root_count, *out_count * sizeof *pids);
	*out = take(pids);
	return 0;
}
