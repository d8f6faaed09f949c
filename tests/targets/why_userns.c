/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * why_userns COMMAND...: runs it as root of a new user namespace whose map is that of the initial one, so that only
 * the namespaces themselves tell the two apart. Not a victim: a launcher, for root.
 */
#include <sched.h>

#include "victim.h"

static void map_all(pid_t pid, const char *file)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0 0 4294967295", 14) != 14)
		_exit(1);
	close(fd);
}

int main(int argc, char **argv)
{
	int go[2], status;
	char byte = 0;
	pid_t parent = getpid(), child;

	if (argc < 2 || pipe(go))
		return 2;
	child = fork();
	if (child == 0) {
		/* From outside: inside, a process may map only itself. */
		close(go[1]);
		if (read(go[0], &byte, 1) != 1)
			_exit(1);
		map_all(parent, "uid_map");
		map_all(parent, "gid_map");
		_exit(0);
	}
	if (child < 0 || unshare(CLONE_NEWUSER) || write(go[1], &byte, 1) != 1) {
		perror("why_userns");
		return 77;
	}
	if (waitpid(child, &status, 0) != child || status) {
		fputs("why_userns: the maps were refused\n", stderr);
		return 77;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
