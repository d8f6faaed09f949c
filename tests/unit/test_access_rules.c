/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Single rules of the access diagnosis, from facts alone: what neither this kernel nor plain files can pose. */
#include "unit.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "process/access/access.h"
#include "process/access/checks.h"
#include "process/access/hidepid.h"

#define CAP(name) (1ULL << CAP_##name)
#define ALICE 7654321

/* The caller and a target of the same ordinary user, refused for no reason so far. */
static struct facts refused(void)
{
	struct facts facts = {
		.pid = 4242,
		.presence = PRESENCE_SEEN,
		.self = { .tgid = 100, .uid = { ALICE, ALICE, ALICE, ALICE }, .gid = { 5, 5, 5, 5 }, .cap_bnd = ~0ULL },
		.target = { .tgid = 4242,
			    .state = 'S',
			    .name = "victim",
			    .uid = { ALICE, ALICE, ALICE, ALICE },
			    .gid = { 5, 5, 5, 5 } },
		.status = { .uid = ALICE, .gid = 5, .mode = 0100444 },
		.maps = { .error = EACCES },
		.mem = { .error = EACCES, .uid = ALICE, .gid = 5, .mode = 0100600 },
		.pagemap = { .error = EACCES },
		.yama = -1,
	};
	return facts;
}

static void become_root(uid_t ids[PROCESS_IDS])
{
	memset(ids, 0, PROCESS_IDS * sizeof *ids);
}

static struct pidmem_access judge(const struct facts *facts)
{
	struct pidmem_access access;

	access_judge(facts, &access);
	assert_int_equal(access.count, PIDMEM_CAUSES - 1);
	return access;
}

static void assert_first(const struct facts *facts, enum pidmem_cause cause, const char *words)
{
	struct pidmem_access access = judge(facts);
	const struct pidmem_check *check = access.checks;

	while (check < access.checks + access.count && check->verdict != PIDMEM_REFUSES)
		check++;
	assert_true(check < access.checks + access.count);
	assert_string_equal(pidmem_cause_name(check->cause), pidmem_cause_name(cause));
	if (!strstr(check->fact, words))
		fail_msg("\"%s\" does not say \"%s\"", check->fact, words);
	assert_false(access.readable);
}

/* The table has a row for each cause, in the order of the enumeration, and that is what people are promised. */
static void test_table(void **state)
{
	(void)state;
	for (int i = 0; i < PIDMEM_CAUSES - 1; i++)
		assert_int_equal(access_checks[i].cause, i + 1);
}

static void test_security_module(void **state)
{
	struct facts facts = refused();

	(void)state;
	assert_first(&facts, PIDMEM_CAUSE_LSM, "known to be active: none");
	strcpy(facts.modules, "apparmor");
	strcpy(facts.label, "/usr/bin/thing (enforce)");
	assert_first(&facts, PIDMEM_CAUSE_LSM, "apparmor; the process is labelled /usr/bin/thing (enforce)");
	facts.self.cap_eff = CAP(SYS_PTRACE); /* not even this helps */
	assert_first(&facts, PIDMEM_CAUSE_LSM, "apparmor");
	facts.maps.error = facts.pagemap.error = 0; /* may read, but not attach */
	assert_first(&facts, PIDMEM_CAUSE_MEM_RESTRICTED, "EACCES");
}

/* A process of root and its files: told by elimination, and only if no security module may be the cause as well. */
static void test_dumpable_of_root(void **state)
{
	struct facts facts = refused();

	(void)state;
	become_root(facts.self.uid);
	become_root(facts.self.gid);
	become_root(facts.target.uid);
	become_root(facts.target.gid);
	facts.status.uid = facts.status.gid = 0;
	facts.mem.uid = 0;
	assert_first(&facts, PIDMEM_CAUSE_NOT_DUMPABLE, "every other rule");
	strcpy(facts.modules, "selinux");
	assert_first(&facts, PIDMEM_CAUSE_LSM, "or it is not dumpable");
	facts.target.gid[ID_REAL] = facts.target.gid[ID_EFFECTIVE] = facts.target.gid[ID_SAVED] =
		5; /* the group tells */
	facts.self.gid[ID_FS] = 5;
	assert_first(&facts, PIDMEM_CAUSE_NOT_DUMPABLE, "its files in /proc belong to root");
	facts.status.gid = 5;
	assert_first(&facts, PIDMEM_CAUSE_LSM, "selinux");
}

static void test_set_id(void **state)
{
	struct facts facts = refused();

	(void)state;
	facts.target.uid[ID_EFFECTIVE] = facts.target.uid[ID_SAVED] = 0;
	facts.status.uid = facts.mem.uid = 0;
	facts.status.gid = 0;
	assert_first(&facts, PIDMEM_CAUSE_NOT_DUMPABLE, "set-user-ID");
	facts.target.uid[ID_REAL] = 77; /* somebody else's */
	assert_first(&facts, PIDMEM_CAUSE_OTHER_USER, "UID 77");
	/* A service of root that has lowered its effective user runs no such program. */
	facts.target.uid[ID_REAL] = 0;
	facts.target.uid[ID_EFFECTIVE] = ALICE;
	assert_false(is_set_id(&facts));
	assert_first(&facts, PIDMEM_CAUSE_OTHER_USER, "several users");
}

/* With fs.suid_dumpable 1 such a program can be dumpable, and nothing tells. */
static void test_suid_dumpable(void **state)
{
	struct facts facts = refused();

	(void)state;
	facts.target.uid[ID_EFFECTIVE] = facts.target.uid[ID_SAVED] = 0;
	become_root(facts.target.gid);
	facts.status.uid = facts.status.gid = 0;
	assert_int_equal(is_dumpable(&facts), ANSWER_NO);
	facts.suid_dumpable = 1;
	assert_int_equal(is_dumpable(&facts), ANSWER_UNTOLD);
}

static void test_dumpable_across_namespaces(void **state)
{
	struct facts facts = refused();

	(void)state;
	facts.userns = (struct userns){ .relation = USERNS_BELOW, .root_uid = 100000 };
	for (unsigned i = 0; i < PROCESS_IDS; i++)
		facts.target.uid[i] = 101000;
	facts.status.uid = 101000;
	assert_int_equal(is_dumpable(&facts), ANSWER_YES);
	facts.status.uid = 100000;
	assert_int_equal(is_dumpable(&facts), ANSWER_NO);
	for (unsigned i = 0; i < PROCESS_IDS; i++)
		facts.target.uid[i] = 100000;
	assert_int_equal(is_dumpable(&facts), ANSWER_UNTOLD);
	/* From inside, all outside look alike. */
	facts.userns = (struct userns){ .relation = USERNS_OTHER, .overflow = true };
	facts.target.uid[ID_EFFECTIVE] = facts.status.uid = OVERFLOW_ID;
	assert_int_equal(is_dumpable(&facts), ANSWER_UNTOLD);
}

static void test_mode_of_mem(void **state)
{
	struct facts facts = refused();

	(void)state;
	facts.maps.error = 0;
	facts.self.cap_eff = CAP(SYS_PTRACE);
	assert_false(closed_by_mode(&facts)); /* the owner may */
	facts.mem.uid = 0;
	facts.mem.gid = 0;
	assert_true(closed_by_mode(&facts));
	assert_first(&facts, PIDMEM_CAUSE_MISSING_CAPABILITY, "mode 0600");
	assert_true(judge(&facts).ptrace);
	facts.self.cap_eff |= CAP(DAC_READ_SEARCH);
	assert_false(closed_by_mode(&facts));
	facts.self.cap_eff = CAP(SYS_PTRACE) | CAP(DAC_OVERRIDE);
	assert_false(closed_by_mode(&facts));
	/* Yama comes behind it, and forbids to attach as well. */
	facts.self.cap_eff = 0;
	facts.yama = 2;
	assert_first(&facts, PIDMEM_CAUSE_MISSING_CAPABILITY, "mode 0600");
	assert_false(judge(&facts).ptrace);
}

/* CAP_PERFMON opens maps without any right to read memory. */
static void test_maps_alone(void **state)
{
	struct facts facts = refused();

	(void)state;
	facts.maps.error = facts.pagemap.error = 0;
	facts.link_error = EACCES;
	assert_false(lets_read(&facts));
	facts.target.uid[ID_REAL] = facts.target.uid[ID_EFFECTIVE] = facts.target.uid[ID_SAVED] = 77;
	facts.status.uid = 77;
	assert_first(&facts, PIDMEM_CAUSE_OTHER_USER, "UID 77");
}

static void test_reading_fails(void **state)
{
	struct facts facts = refused();

	(void)state;
	facts.maps.error = facts.mem.error = facts.pagemap.error = 0;
	facts.read_error = ESRCH; /* as before Linux 3.3 without attaching */
	assert_first(&facts, PIDMEM_CAUSE_MEM_RESTRICTED, "ESRCH");
	assert_true(judge(&facts).mem);
}

static void test_filter(void **state)
{
	struct facts facts = refused();

	(void)state;
	facts.maps.error = facts.mem.error = facts.pagemap.error = ENOSYS;
	facts.self.seccomp = 2;
	assert_first(&facts, PIDMEM_CAUSE_SECCOMP, "ENOSYS");
	facts.self.seccomp = 0; /* then it was no filter */
	assert_first(&facts, PIDMEM_CAUSE_LSM, "ENOSYS");

	facts.maps.error = facts.mem.error = facts.pagemap.error = 0;
	facts.self.seccomp = 2;
	facts.ptrace = (struct filter_answer){ .asked = true };
	assert_true(judge(&facts).ptrace);
	facts.ptrace.signal = SIGSYS;
	assert_false(judge(&facts).ptrace);
	assert_true(judge(&facts).readable);
}

static void test_hidden(void **state)
{
	struct facts facts = {
		.pid = 4242, .presence = PRESENCE_HIDDEN, .hidepid = 2, .maps.error = ENOENT, .mem.error = ENOENT
	};

	(void)state;
	assert_first(&facts, PIDMEM_CAUSE_HIDEPID, "hidepid=2");
	facts.hidepid = -1;
	assert_first(&facts, PIDMEM_CAUSE_HIDEPID, "does not show it");
	/* hidepid=1 gives EPERM: no reason to blame a filter for it. */
	facts = (struct facts){ .pid = 4242,
				.presence = PRESENCE_CLOSED,
				.hidepid = 1,
				.presence_error = EPERM,
				.dir_uid = 77,
				.self.seccomp = 2,
				.maps.error = ENOENT,
				.mem.error = ENOENT };
	assert_first(&facts, PIDMEM_CAUSE_HIDEPID, "hidepid=1");
	assert_int_equal(filter_errno(&facts), 0);
	facts = (struct facts){ .pid = 4242,
				.presence = PRESENCE_CLOSED,
				.hidepid = 0,
				.presence_error = EACCES,
				.maps.error = ENOENT,
				.mem.error = ENOENT };
	assert_first(&facts, PIDMEM_CAUSE_LSM, "EACCES");
}

static void test_hidepid_parse(void **state)
{
	static const char text[] =
		"22 27 0:21 / /proc rw,relatime - proc proc rw\n"
		"27 1 254:0 / / rw - ext4 /dev/vda rw,hidepid=1\n"
		"63 45 0:39 / /proc rw,relatime shared:1 master:2 - proc proc rw,gid=5,hidepid=invisible\n"
		"64 45 0:40 / /other/proc rw - proc none rw,hidepid=1";

	(void)state;
	assert_int_equal(hidepid_parse(text, makedev(0, 21), ""), 0);
	assert_int_equal(hidepid_parse(text, makedev(0, 39), ""), 2);
	assert_int_equal(hidepid_parse(text, makedev(0, 40), ""), 1);
	assert_int_equal(hidepid_parse(text, makedev(254, 0), ""), -1); /* no procfs */
	assert_int_equal(hidepid_parse(text, makedev(9, 9), ""), -1);
	assert_int_equal(hidepid_parse(text, 0, "/proc"), 2); /* what is mounted over the other */
	assert_int_equal(hidepid_parse(text, 0, "/other/pro"), -1);
	assert_int_equal(hidepid_parse("", 0, "/proc"), -1);
	assert_int_equal(hidepid_parse("22 27 0:21 / /proc - proc ", 0, "/proc"), -1);
}

static void assert_relation(const char *self, const char *target, enum userns_relation relation)
{
	assert_int_equal(userns_compare_maps(self, target).relation, relation);
}

static void test_userns(void **state)
{
	static const char all[] = "         0          0 4294967295\n";

	(void)state;
	assert_relation(all, all, USERNS_SAME);
	assert_relation(all, "0 1000 1\n", USERNS_BELOW);
	assert_relation(all, "", USERNS_BELOW);
	assert_relation("0 1000 1\n", "0 0 1\n", USERNS_BELOW);
	assert_relation("0 1000 1\n", "0 4294967295 4294967295\n", USERNS_OTHER);
	assert_relation("0 1000 1\n", "0 0 2\n", USERNS_OTHER);
	assert_relation("", all, USERNS_OTHER);
	assert_relation("0 5000 10\n10 9000 10\n", "0 5 10\n", USERNS_BELOW); /* over two lines of ours */
	assert_relation("0 5000 10\n11 9000 10\n", "0 5 10\n", USERNS_OTHER); /* with a gap */
	assert_int_equal(userns_compare_maps(all, "5 7 1\n0 1000 2\n").root_uid, 1000);
	assert_int_equal(userns_compare_maps(all, "5 7 1\n").root_uid, OVERFLOW_ID);
	assert_false(userns_compare_maps(all, all).overflow);
	assert_true(userns_compare_maps("0 1000 1\n", all).overflow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_security_module),
		cmocka_unit_test(test_dumpable_of_root),
		cmocka_unit_test(test_set_id),
		cmocka_unit_test(test_suid_dumpable),
		cmocka_unit_test(test_dumpable_across_namespaces),
		cmocka_unit_test(test_mode_of_mem),
		cmocka_unit_test(test_maps_alone),
		cmocka_unit_test(test_reading_fails),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_hidepid_parse),
		cmocka_unit_test(test_userns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
