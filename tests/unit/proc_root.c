/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc_root.h"
#include "unit.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

uid_t fake_user(void)
{
	return geteuid() ? geteuid() : 1000;
}

static gid_t fake_group(void)
{
	return geteuid() ? getegid() : 1000;
}

struct fake fake(pid_t pid, const char *name)
{
	uid_t uid = fake_user();
	gid_t gid = fake_group();

	return (struct fake){
		.pid = pid,
		.tgid = pid,
		.ppid = 1,
		.name = name,
		.state = 'S',
		.uid = { uid, uid, uid, uid },
		.gid = { gid, gid, gid, gid },
		.threads = 1,
		.cap_bnd = 0x1ffffffffff,
	};
}

void put_owned(struct proc_root *root, const char *name, uid_t owner, const char *text)
{
	char path[256];

	assert_true((size_t)snprintf(path, sizeof(path), "%s/%s", root->path, name) < sizeof(path));
	for (char *slash = path + strlen(root->path) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = 0;
		if (mkdir(path, 0755))
			assert_int_equal(errno, EEXIST);
	}
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(path, owner, owner ? fake_group() : 0), 0);
}

void put(struct proc_root *root, const char *name, const char *text)
{
	put_owned(root, name, fake_user(), text);
}

void drop(struct proc_root *root, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", root->path, name);
	assert_int_equal(remove(path), 0);
}

static void put_status(struct proc_root *root, const char *name, const struct fake *process)
{
	const uid_t *uid = process->uid;
	const gid_t *gid = process->gid;
	char text[1024], kthread[32] = "";

	if (process->kthread >= 0)
		snprintf(kthread, sizeof(kthread), "Kthread:\t%d\n", process->kthread);
	snprintf(text, sizeof(text),
		 "Name:\t%s\nUmask:\t0022\nState:\t%c (whatever)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\n"
		 "TracerPid:\t%d\nUid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t256\nGroups:\t \nNSpid:\t%d\n%s"
		 "Threads:\t%d\nCapInh:\t0000000000000000\nCapPrm:\t%016jx\nCapEff:\t%016jx\nCapBnd:\t%016jx\n"
		 "NoNewPrivs:\t%d\nSeccomp:\t%d\n",
		 process->name, process->state, process->tgid, process->pid, process->ppid, process->tracer, uid[0],
		 uid[1], uid[2], uid[3], gid[0], gid[1], gid[2], gid[3], process->pid, kthread, process->threads,
		 (uintmax_t)process->cap_prm, (uintmax_t)process->cap_eff, (uintmax_t)process->cap_bnd,
		 process->no_new_privs, process->seccomp);
	put_owned(root, name, uid[1], text);
}

void put_process(struct proc_root *root, const struct fake *process)
{
	char name[64];

	if (process->pid == CALLER)
		put_status(root, "self/status", process);
	snprintf(name, sizeof(name), "%d/status", process->pid);
	put_status(root, name, process);
	snprintf(name, sizeof(name), "%d/task/%d/status", process->pid, process->pid);
	put_status(root, name, process);
}

void put_thread(struct proc_root *root, const struct fake *thread)
{
	char name[64];

	snprintf(name, sizeof(name), "%d/task/%d/status", thread->tgid, thread->pid);
	put_status(root, name, thread);
}

struct proc_root *proc_root_new(void)
{
	static const char *const files[] = { "maps", "mem", "pagemap" };
	struct fake caller = fake(CALLER, "pidmem"), target = fake(TARGET, "victim");
	struct proc_root *root = calloc(1, sizeof(*root));
	char name[64], mounts[256];

	assert_non_null(root);
	strcpy(root->path, "/tmp/pidmem-unit-XXXXXX");
	assert_non_null(mkdtemp(root->path));
	put_process(root, &caller);
	put_process(root, &target);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(name, sizeof(name), "%d/%s", TARGET, files[i]);
		put(root, name, "");
	}
	snprintf(mounts, sizeof(mounts), "22 27 0:21 / %s rw,relatime shared:5 - proc proc rw\n", root->path);
	put(root, "self/mountinfo", mounts);
	put(root, "self/uid_map", "         0          0 4294967295\n");
	put(root, "4242/uid_map", "         0          0 4294967295\n");
	put(root, "cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet\n");
	return root;
}

static int delete (const char *path, const struct stat *stat, int flag, struct FTW *walk)
{
	(void)stat, (void)flag, (void)walk;
	return remove(path);
}

void proc_root_free(struct proc_root *root)
{
	nftw(root->path, delete, 16, FTW_DEPTH | FTW_PHYS);
	free(root);
}
