/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of kernel/ptrace.c and fs/proc/base.c, one by one. */
#include <errno.h>
#include <linux/capability.h>
#include <sys/stat.h>

#include "process/access/checks.h"

bool has_capability(const struct facts *facts, unsigned capability)
{
	return facts->self.cap_eff >> capability & 1;
}

bool is_self(const struct facts *facts)
{
	return facts->self.tgid && facts->target.tgid == facts->self.tgid;
}

bool has_ended_whole(const struct facts *facts)
{
	char state = facts->target.state;

	return (state == 'Z' || state == 'X' || state == 'x') && !facts->living_thread;
}

static bool match(const struct process_status *target, uid_t uid, gid_t gid)
{
	for (unsigned i = ID_REAL; i <= ID_SAVED; i++)
		if (target->uid[i] != uid || target->gid[i] != gid)
			return false;
	return true;
}

bool ids_match(const struct facts *facts)
{
	return match(&facts->target, facts->self.uid[ID_FS], facts->self.gid[ID_FS]);
}

bool real_ids_match(const struct facts *facts)
{
	return match(&facts->target, facts->self.uid[ID_REAL], facts->self.gid[ID_REAL]);
}

bool reaches(const struct facts *facts)
{
	enum userns_relation relation = facts->userns.relation;

	return has_capability(facts, CAP_SYS_PTRACE) && (relation == USERNS_SAME || relation == USERNS_BELOW);
}

bool lets_read(const struct facts *facts)
{
	return facts->maps.error == 0 && facts->link_error != EACCES && facts->link_error != EPERM;
}

/* A real user that is root says nothing: a service that lowers its effective user looks the same. */
bool is_set_id(const struct facts *facts)
{
	const struct process_status *target = &facts->target;

	return target->uid[ID_REAL] != 0 &&
	       (target->uid[ID_REAL] != target->uid[ID_EFFECTIVE] || target->gid[ID_REAL] != target->gid[ID_EFFECTIVE]);
}

/*
 * The files of a process that is not dumpable belong to the root of its user namespace instead of its effective
 * user and group (fs/proc/base.c, task_dump_owner). So it cannot be told if that is who it runs as.
 */
enum answer is_dumpable(const struct facts *facts)
{
	const struct process_status *target = &facts->target;
	bool here = facts->userns.relation == USERNS_SAME;
	uid_t root = here ? 0 : facts->userns.root_uid;

	if (facts->userns.overflow && target->uid[ID_EFFECTIVE] == OVERFLOW_ID)
		return ANSWER_UNTOLD;
	if (facts->status.uid != target->uid[ID_EFFECTIVE] || (here && facts->status.gid != target->gid[ID_EFFECTIVE]))
		return ANSWER_NO;
	if (target->uid[ID_EFFECTIVE] != root || (here && target->gid[ID_EFFECTIVE] != 0))
		return ANSWER_YES;
	/* execve() of a set-user-ID program always clears it, unless fs.suid_dumpable is 1. */
	return is_set_id(facts) && facts->suid_dumpable == 0 ? ANSWER_NO : ANSWER_UNTOLD;
}

bool closed_by_mode(const struct facts *facts)
{
	const struct attempt *mem = &facts->mem;
	const struct process_status *self = &facts->self;
	/* Capabilities count only for files whose owner the user namespace knows: capable_wrt_inode_uidgid(). */
	bool counts = !(facts->userns.overflow && mem->uid == OVERFLOW_ID);
	unsigned shift = mem->uid == self->uid[ID_FS] ? 6 : mem->gid == self->gid[ID_FS] ? 3 : 0;

	if (!lets_read(facts) || mem->error != EACCES || !mem->mode || (mem->mode >> shift & S_IROTH))
		return false;
	return !counts || !(has_capability(facts, CAP_DAC_OVERRIDE) || has_capability(facts, CAP_DAC_READ_SEARCH));
}

static int unlike_kernel(int error)
{
	/* EACCES: no right; ENOENT, ESRCH: gone. What a filter gives is mostly EPERM or ENOSYS. */
	return error == EACCES || error == ENOENT || error == ESRCH ? 0 : error;
}

int filter_errno(const struct facts *facts)
{
	int error = 0;

	if (facts->self.seccomp <= 0)
		return 0;
	if (facts->presence == PRESENCE_CLOSED)
		return facts->hidepid > 0 ? 0 : unlike_kernel(facts->presence_error);
	if (facts->presence != PRESENCE_SEEN)
		return 0;
	error = unlike_kernel(facts->maps.error);
	return error ? error : unlike_kernel(facts->mem.error);
}
