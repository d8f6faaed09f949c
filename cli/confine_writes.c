/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlock(7): Linux 5.13; moving a file to another directory, which a split dump does, since 5.19. */
#include "confine.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13) /* ABI 2 */
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* ABI 3, Linux 6.2 */
#endif
#define TO_FILES (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
#define TO_DIRECTORIES                                                                                  \
	(LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER)
/* Nobody needs these here. */
#define NEVER                                                                                        \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static bool allow(int ruleset, const char *place, uint64_t known)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = open(place, O_PATH | O_CLOEXEC) };
	struct stat status;
	bool allowed = false;

	if (rule.parent_fd >= 0 && fstat(rule.parent_fd, &status) == 0) {
		rule.allowed_access = (S_ISDIR(status.st_mode) ? TO_FILES | TO_DIRECTORIES : TO_FILES) & known;
		allowed = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U) == 0;
	}
	if (rule.parent_fd >= 0)
		close(rule.parent_fd);
	return allowed;
}

void confine_writes(const char *const *places, int count)
{
	struct landlock_ruleset_attr rules = { .handled_access_fs = TO_FILES | TO_DIRECTORIES | NEVER };
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0UL, LANDLOCK_CREATE_RULESET_VERSION);
	bool allowed = true;

	if (version < 2)
		return;
	if (version < 3)
		rules.handled_access_fs &= ~LANDLOCK_ACCESS_FS_TRUNCATE;
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0U);
	if (ruleset < 0)
		return;
	/* What is wrong with a place is said by whoever writes there. */
	for (int i = 0; i < count; i++)
		allowed = allowed && places[i] && allow(ruleset, places[i], rules.handled_access_fs);
	if (allowed)
		syscall(SYS_landlock_restrict_self, ruleset, 0U);
	close(ruleset);
}
