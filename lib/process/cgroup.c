/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/cgroup.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "process/mounts.h"
#include "process/process.h"

/* Is `word` in a list of words with commas, of so many bytes? */
static bool has_word(const char *list, size_t size, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list, *end = list + size; at < end; at++) {
		size_t part = strcspn(at, ",:");
		if (part == length && !memcmp(at, word, length))
			return true;
		at += part;
	}
	return false;
}

/* Lines: "4:cpu,cpuacct:/path" for version 1, "0::/path" for version 2. */
bool cgroup_parse(const char *text, const char *controller, char *path, size_t size, bool *v2)
{
	bool found = false;

	for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
		const char *list = strchr(line, ':'), *colon = list ? strchr(list + 1, ':') : NULL;
		size_t length = colon ? strcspn(colon + 1, "\n") : 0;
		if (!colon || colon[1] != '/' || length >= size || memchr(line, '\n', (size_t)(colon - line)))
			continue;
		bool unified = !strncmp(line, "0::", 3);
		if ((unified && found) || (!unified && !has_word(list + 1, (size_t)(colon - list - 1), controller)))
			continue;
		memcpy(path, colon + 1, length);
		path[length] = 0;
		*v2 = unified;
		found = true;
	}
	return found;
}

/* Where the hierarchy is mounted, and the group's place in it: the length of the mount point in `path`, or 0. */
static size_t find_directory(const struct pidmem_process *process, const char *controller, char *path, size_t size,
			     bool *v2)
{
	AUTO_BUFFER groups = { 0 }, mounts = { 0 };
	AUTO_FREE struct mount *mount = malloc(sizeof *mount);
	char group[4096];
	const char *at;

	if (!mount || buffer_read_file(&groups, process->dir, "cgroup") < 0 ||
	    !cgroup_parse(groups.bytes, controller, group, sizeof group, v2) || strstr(group, "/..") ||
	    buffer_read_file(&mounts, AT_FDCWD, "/proc/self/mountinfo") < 0)
		return 0;
	for (at = mounts.bytes; mount_next(&at, mount);) {
		size_t root = strcmp(mount->root, "/") != 0 ? strlen(mount->root) : 0;
		if (strcmp(mount->type, *v2 ? "cgroup2" : "cgroup") != 0 ||
		    (!*v2 && !mount_has_option(mount, controller)) || strncmp(group, mount->root, root) != 0 ||
		    (group[root] && group[root] != '/'))
			continue;
		if ((size_t)snprintf(path, size, "%s%s", mount->point, group + root) < size)
			return strlen(mount->point);
	}
	return 0;
}

void cgroup_each(const struct pidmem_process *process, const char *controller,
		 bool (*visit)(int dir, bool v2, void *user), void *user)
{
	char path[8192];
	bool v2, more = true;
	size_t top = find_directory(process, controller, path, sizeof path, &v2);

	while (top && more && strlen(path) >= top) {
		AUTO_FD dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		more = dir < 0 || visit(dir, v2, user);
		char *slash = strrchr(path, '/');
		if (!slash || strlen(path) == top)
			return;
		*slash = 0;
	}
}

uint64_t cgroup_number(int dir, const char *name)
{
	AUTO_BUFFER text = { 0 };
	char *end;

	if (buffer_read_file(&text, dir, name) < 0 || !text.bytes)
		return UINT64_MAX;
	uint64_t number = strtoull(text.bytes, &end, 10);
	return end == text.bytes ? UINT64_MAX : number;
}

uint64_t cgroup_value(int dir, const char *name, const char *key)
{
	AUTO_BUFFER text = { 0 };
	size_t length = strlen(key);

	if (buffer_read_file(&text, dir, name) < 0)
		return 0;
	for (const char *line = text.bytes; line && *line; line = strchr(line, '\n'), line += line != NULL)
		if (!strncmp(line, key, length) && line[length] == ' ')
			return strtoull(line + length, NULL, 10);
	return 0;
}
