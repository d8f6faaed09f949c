/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * why_landlock COMMAND...: runs it in a Landlock sandbox that forbids next to nothing in the file system. A process in
 * one may trace only those in the same sandbox: landlock(7). Not a victim: a launcher.
 */
#include <linux/landlock.h>
#include <sys/syscall.h>

#include "victim.h"

int main(int argc, char **argv)
{
	struct landlock_ruleset_attr rules = { .handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK };
	int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);

	if (argc < 2)
		return 2;
	if (fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, fd, 0)) {
		perror("why_landlock");
		return 77;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
