/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/children.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "process/process.h"
#include "process/status.h"

bool pid_is_among(pid_t pid, const pid_t *pids, size_t count)
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
			if (all[i].parent == pids[next] && !pid_is_among(all[i].pid, pids, *count))
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
	list->items[list->count++] =
		(struct parentage){ stat.pid, stat.ppid, process_state_is_end(stat.state) && stat.threads <= 1 };
	return 0;
}

int parentage_list(const char *path, struct parentage **all, size_t *count)
{
	AUTO_DIR proc = open_directory_at(AT_FDCWD, path);
	struct list list = { 0 };
	int result = proc ? 0 : -errno;

	for (const struct dirent *entry; result == 0 && (entry = readdir(proc));)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			result = add(&list, dirfd(proc), entry->d_name);
	AUTO_FREE struct parentage *items = list.items;
	if (result < 0)
		return result;
	*all = take(items);
	*count = list.count;
	return 0;
}

/* By a look at every process that there is. */
static int find_among_all(const pid_t *roots, size_t root_count, pid_t **out, size_t *out_count)
{
	AUTO_FREE struct parentage *all = NULL;
	size_t all_count;
	int result = parentage_list("/proc", &all, &all_count);

	if (result < 0)
		return result;
	AUTO_FREE pid_t *pids = calloc(root_count + all_count + 1, sizeof *pids);
	if (!pids)
		return -ENOMEM;
	memcpy(pids, roots, root_count * sizeof *roots);
	*out_count = root_count;
	children_select(all, all_count, getpid(), pids, out_count);
	*out = take(pids);
	return 0;
}

struct pid_list {
	pid_t *pids;
	size_t count, capacity;
};

static int add_new(struct pid_list *list, pid_t pid)
{
	if (pid_is_among(pid, list->pids, list->count))
		return 0;
	pid_t *grown = array_grow(list->pids, list->count, &list->capacity, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	list->pids = grown;
	grown[list->count++] = pid;
	return 0;
}

/* Of parents that run on, the answer may change each time. */
#define READS 8

/* The kernel goes from one child to the next by its place in the list, so that one is left out when another one ends
 * meanwhile: what it says twice is so. */
static int read_settled(struct buffer *text, int dir, const char *name)
{
	AUTO_BUFFER before = { 0 };
	int result = buffer_read_file(text, dir, name);

	for (int i = 1; i < READS && result == 0 && text->size; i++) {
		if (text->size == before.size && !memcmp(text->bytes, before.bytes, text->size))
			break;
		buffer_done(&before);
		before = *text;
		*text = (struct buffer){ 0 };
		result = buffer_read_file(text, dir, name);
	}
	return result;
}

static int add_children_of_thread(struct pid_list *list, int dir, const char *tid)
{
	AUTO_BUFFER text = { 0 };
	char name[300], *next;
	int result = 0;

	snprintf(name, sizeof name, "%s/children", tid);
	if (tid[0] == '.' || read_settled(&text, dir, name) < 0) /* it has ended */
		return 0;
	for (const char *at = text.bytes; result == 0; at = next) {
		long pid = strtol(at, &next, 10);
		if (next == at)
			break;
		result = add_new(list, (pid_t)pid);
	}
	return result;
}

/* By the children of each thread. */
static int find_from_parents(struct pid_list *list)
{
	char name[32];
	int result = 0;

	for (size_t next = 0; next < list->count && result == 0; next++) {
		if (list->pids[next] == getpid())
			continue;
		snprintf(name, sizeof name, "/proc/%d/task", list->pids[next]);
		AUTO_DIR threads = open_directory_at(AT_FDCWD, name);
		for (const struct dirent *entry; threads && result == 0 && (entry = readdir(threads));)
			result = add_children_of_thread(list, dirfd(threads), entry->d_name);
	}
	return result;
}

/* CONFIG_PROC_CHILDREN, Linux 4.2; before, with CONFIG_CHECKPOINT_RESTORE. */
static bool parents_tell(void)
{
	return faccessat(AT_FDCWD, "/proc/thread-self/children", R_OK, 0) == 0;
}

int children_find(const pid_t *roots, size_t root_count, pid_t **out, size_t *out_count)
{
	struct pid_list list = { 0 };
	int result = 0;

	for (size_t i = 0; i < root_count && result == 0 && parents_tell(); i++)
		result = add_new(&list, roots[i]);
	size_t first = list.count ? list.count : root_count;
	if (result == 0)
		result = list.count ? find_from_parents(&list)
				    : find_among_all(roots, root_count, &list.pids, &list.count);
	AUTO_FREE pid_t *pids = list.pids;
	if (result < 0)
		return result;
	*out_count = list.count - first;
	memmove(pids, pids + first, *out_count * sizeof *pids);
	*out = take(pids);
	return 0;
}
