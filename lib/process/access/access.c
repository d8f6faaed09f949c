/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * May this process be read, and if not, why? Facts are gathered, each cause is looked at in the kernel's order,
 * and only what is left without an explanation is told by elimination.
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "process/access/access.h"
#include "process/access/checks.h"
#include "process/access/words.h"

/* How far can this target be looked at? */
static enum stage reached(const struct facts *facts)
{
	if (facts->presence == PRESENCE_CLOSED)
		return STAGE_CLOSED;
	if (facts->presence != PRESENCE_SEEN || facts->target.tgid != facts->pid)
		return STAGE_NUMBER;
	if (facts->kthread)
		return STAGE_STATUS;
	return has_ended_whole(facts) ? STAGE_USER : STAGE_MEMORY;
}

static const char *not_looked_at(enum stage stage, const struct facts *facts)
{
	switch (stage) {
	case STAGE_CLOSED:
		return "not looked at: its files cannot be read";
	case STAGE_STATUS:
		return "not looked at: a kernel thread has no memory";
	case STAGE_USER:
		return "not looked at: the process has ended";
	default:
		if (facts->presence == PRESENCE_SEEN)
			return "not looked at: it is a thread";
		return facts->presence == PRESENCE_NONE ? "not looked at: there is no such process"
							: "not looked at: the process is hidden";
	}
}

static void run_checks(const struct facts *facts, struct pidmem_access *access)
{
	enum stage stage = reached(facts);

	for (size_t i = 0; i < PIDMEM_CAUSES - 1; i++) {
		const struct access_check *row = &access_checks[i];
		struct pidmem_check *check = &access->checks[access->count++];

		check->cause = row->cause;
		if (row->stage <= stage)
			row->look(facts, check);
		else
			verdict(check, PIDMEM_UNKNOWN, "%s", not_looked_at(stage, facts));
	}
}

static struct pidmem_check *find(struct pidmem_access *access, enum pidmem_cause cause)
{
	for (size_t i = 0; i < access->count; i++)
		if (access->checks[i].cause == cause)
			return &access->checks[i];
	return NULL;
}

static bool refuses(struct pidmem_access *access, enum pidmem_cause cause)
{
	return find(access, cause)->verdict == PIDMEM_REFUSES;
}

static bool any_refuses(const struct pidmem_access *access)
{
	for (size_t i = 0; i < access->count; i++)
		if (access->checks[i].verdict == PIDMEM_REFUSES)
			return true;
	return false;
}

/* ------------------------------------------------------------------------------------------- elimination --- */

static void blame_mem(const struct facts *facts, struct pidmem_check *check)
{
	verdict(check, PIDMEM_REFUSES,
		"/proc/%d/maps can be opened, but mem cannot (%s), though every rule that was looked at allows it",
		facts->pid, words_errno(facts->mem.error).text);
	if (facts->modules[0])
		way_out(check, "look into the rules of the security modules (%s) and how /proc is mounted",
			facts->modules);
	else
		way_out(check, "look into how /proc is mounted and how this kernel was hardened");
}

static void blame_userns(const struct facts *facts, struct pidmem_check *check)
{
	verdict(check, PIDMEM_REFUSES,
		"you have CAP_SYS_PTRACE in your own user namespace alone: the refusal (%s) shows that it is in "
		"another",
		words_errno(facts->mem.error).text);
	way_out(check, "run pidmem outside this user namespace (or container), as root there");
}

static void blame_dumpable(const struct facts *facts, struct pidmem_check *check)
{
	verdict(check, PIDMEM_REFUSES,
		"it is not dumpable: every other rule of the kernel allows it (its files belong to root either way)");
	way_out_privilege(facts, check);
}

static void blame_modules(const struct facts *facts, struct pidmem_check *check)
{
	bool called = facts->label[0] && strcmp(facts->modules, "landlock") != 0;

	verdict(check, PIDMEM_REFUSES,
		"a security module refuses (%s): every rule before it allows it; known to be active: %s%s%s%s%s",
		words_errno(facts->mem.error).text, facts->modules[0] ? facts->modules : "none",
		called ? "; the process is labelled " : "", called ? facts->label : "",
		is_dumpable(facts) == ANSWER_UNTOLD && !reaches(facts) ? "; or it is not dumpable" : "",
		strstr(facts->modules, "landlock") && facts->self.no_new_privs == 1
			? "; no_new_privs is set, as for Landlock"
			: "");
	way_out(check, "run pidmem outside the sandbox, or let the module's policy allow ptrace of this process");
}

/* Not even the status can be read, which any process may do as far as procfs is concerned. */
static void blame_unseen(const struct facts *facts, struct pidmem_check *check)
{
	verdict(check, PIDMEM_REFUSES,
		"a security module refuses (%s): even its status cannot be read, and neither hidepid nor a filter "
		"explains that",
		words_errno(facts->presence_error).text);
	way_out(check, "run pidmem outside the sandbox, or let the module's policy allow to read its files in /proc");
}

/*
 * Refused, and no rule that was looked at explains it. What is left is what cannot be looked at directly; a cause
 * is named only where the other candidates are ruled out.
 */
static void explain_rest(const struct facts *facts, struct pidmem_access *access)
{
	if (facts->presence == PRESENCE_CLOSED)
		blame_unseen(facts, find(access, PIDMEM_CAUSE_LSM));
	else if (lets_read(facts))
		blame_mem(facts, find(access, PIDMEM_CAUSE_MEM_RESTRICTED));
	else if (has_capability(facts, CAP_SYS_PTRACE) && facts->userns.doubtful)
		blame_userns(facts, find(access, PIDMEM_CAUSE_USER_NAMESPACE));
	else if (is_dumpable(facts) == ANSWER_UNTOLD && !reaches(facts) && !facts->modules[0])
		blame_dumpable(facts, find(access, PIDMEM_CAUSE_NOT_DUMPABLE));
	else
		blame_modules(facts, find(access, PIDMEM_CAUSE_LSM));
}

/* ------------------------------------------------------------------------------------------- the first one --- */

/*
 * The kernel stops at the first rule that fails, and that is the user for most. Where another rule is what the
 * caller runs into in truth, it comes before that:
 *   root of a user namespace, or root without the capability, would be let pass in spite of the user;
 *   a set-user-ID program that the caller started itself belongs to the caller in all that people mean by it.
 */
static enum pidmem_cause real_cause(const struct facts *facts, struct pidmem_access *access)
{
	bool root = facts->self.uid[ID_FS] == 0;

	if (!refuses(access, PIDMEM_CAUSE_OTHER_USER) || facts->presence != PRESENCE_SEEN)
		return PIDMEM_CAUSE_NONE;
	if (refuses(access, PIDMEM_CAUSE_USER_NAMESPACE) && (root || has_capability(facts, CAP_SYS_PTRACE)))
		return PIDMEM_CAUSE_USER_NAMESPACE;
	if (refuses(access, PIDMEM_CAUSE_MISSING_CAPABILITY) && root)
		return PIDMEM_CAUSE_MISSING_CAPABILITY;
	if (refuses(access, PIDMEM_CAUSE_NOT_DUMPABLE) && is_set_id(facts) &&
	    facts->target.uid[ID_REAL] == facts->self.uid[ID_REAL])
		return PIDMEM_CAUSE_NOT_DUMPABLE;
	return PIDMEM_CAUSE_NONE;
}

static void put_first(struct pidmem_access *access, enum pidmem_cause cause)
{
	struct pidmem_check *place = find(access, PIDMEM_CAUSE_OTHER_USER), *check = find(access, cause);
	struct pidmem_check moved;

	if (!check || check < place)
		return;
	moved = *check;
	memmove(place + 1, place, (size_t)((char *)check - (char *)place));
	*place = moved;
}

/* ------------------------------------------------------------------------------------------------ abilities --- */

/* PTRACE_SEIZE asks the same rules as opening mem, but for the real IDs, and needs the target to be free. */
static bool can_attach(const struct facts *facts, struct pidmem_access *access)
{
	if (reached(facts) != STAGE_MEMORY || is_self(facts) || facts->tracer)
		return false;
	if (facts->self.seccomp > 0 && (!facts->ptrace.asked || facts->ptrace.error || facts->ptrace.signal))
		return false;
	if (find(access, PIDMEM_CAUSE_OTHER_USER)->verdict == PIDMEM_LIMITS)
		return false;
	return facts->mem.error == 0 || (closed_by_mode(facts) && !refuses(access, PIDMEM_CAUSE_YAMA_SCOPE));
}

void access_judge(const struct facts *facts, struct pidmem_access *access)
{
	bool memory = reached(facts) == STAGE_MEMORY;

	*access = (struct pidmem_access){ .size = sizeof *access };
	memcpy(access->name, facts->target.name, sizeof access->name);
	access->maps = memory && facts->maps.error == 0;
	access->mem = memory && facts->mem.error == 0;
	access->pagemap = memory && facts->pagemap.error == 0;
	access->readable = access->maps && access->mem && !facts->read_error;
	run_checks(facts, access);
	if (!access->readable && !any_refuses(access) && facts->presence != PRESENCE_UNCERTAIN)
		explain_rest(facts, access);
	access->ptrace = can_attach(facts, access);
	put_first(access, real_cause(facts, access));
}

/* How many checks does the caller have room for? */
static size_t checks_room(const struct pidmem_access *access)
{
	size_t before = offsetof(struct pidmem_access, checks);

	return access->size < before ? 0 : (access->size - before) / sizeof access->checks[0];
}

int pidmem_access_check(pid_t pid, const struct pidmem_open_options *given, struct pidmem_error *error,
			struct pidmem_access *out)
{
	struct pidmem_open_options options;
	struct pidmem_access access;
	struct facts facts;

	if (pid <= 0)
		return fail(error, PIDMEM_USAGE, EINVAL, "%d cannot be a process ID", pid);
	int result = options_take(&options, sizeof options, given, error);
	if (result < 0 || (result = options_check_room(out, error)) < 0 ||
	    (result = facts_gather(pid, &options, error, &facts)) < 0)
		return result;
	access_judge(&facts, &access);
	if (access.count > checks_room(out))
		access.count = checks_room(out);
	options_give(out, &access, sizeof access);
	return 0;
}
