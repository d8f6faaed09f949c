/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/access/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/buffer.h"
#include "base/error.h"
#include "process/access/hidepid.h"

/* A loop in captured files must not become one here; real trees are not near as deep. */
#define ANCESTORS_MAX 4096

struct name {
	char text[64];
};

/* "PID/FILE", below the proc root. */
static struct name file_of(pid_t pid, const char *file)
{
	struct name name;

	snprintf(name.text, sizeof name.text, "%d/%s", pid, file);
	return name;
}

/* A fact is one line of text for people: names in it, which anybody may choose, must not break that. */
static void make_plain(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

/* The first line of a small file, without its newline; "" if it cannot be read. */
static void read_line(int root, const char *name, char *line, size_t size)
{
	AUTO_BUFFER text = { 0 };

	line[0] = 0;
	if (buffer_read_file(&text, root, name) == 0)
		snprintf(line, size, "%.*s", (int)strcspn(text.bytes, "\n"), text.bytes);
	make_plain(line);
}

static int read_number(int root, const char *name, int otherwise)
{
	char line[32];
	int number;

	read_line(root, name, line, sizeof line);
	return sscanf(line, "%d", &number) == 1 ? number : otherwise;
}

static int read_status(int root, const char *name, struct process_status *status)
{
	AUTO_BUFFER text = { 0 };
	int result = buffer_read_file(&text, root, name);

	return result < 0 ? result : status_parse(text.bytes, text.size, status);
}

static void read_comm(int root, pid_t pid, char name[64])
{
	struct process_status status;

	if (read_status(root, file_of(pid, "status").text, &status) == 0)
		memcpy(name, status.name, sizeof status.name);
	make_plain(name);
}

/* ------------------------------------------------------------------------------------- caller and procfs --- */

static void gather_self(int root, struct facts *facts)
{
	struct statfs fs = { 0 };

	facts->real = fstatfs(root, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
	if (read_status(root, "thread-self/status", &facts->self) < 0 &&
	    read_status(root, "self/status", &facts->self) < 0)
		probe_self(&facts->self);
	/* NSpid counts the namespaces from that of the procfs to that of the process: one if they are the same. */
	facts->same_pids = facts->real && facts->self.ns_pid_count <= 1 && facts->self.tgid == getpid();
}

static void gather_hidepid(int root, const char *path, struct facts *facts)
{
	AUTO_BUFFER mounts = { 0 };
	struct stat stat = { 0 };

	facts->hidepid = -1;
	if (buffer_read_file(&mounts, root, "self/mountinfo") == 0 && fstat(root, &stat) == 0)
		facts->hidepid = hidepid_parse(mounts.bytes, facts->real ? stat.st_dev : 0, path);
}

/* Not in this procfs: does the number exist all the same? Signal 0 is never sent (kill(2)). */
static enum presence ask_kernel(const struct facts *facts)
{
	if (!facts->same_pids)
		return facts->hidepid > 1 ? PRESENCE_UNCERTAIN : PRESENCE_NONE;
	if (facts->hidepid == 0 || (kill(facts->pid, 0) < 0 && errno != EPERM))
		return PRESENCE_NONE;
	return PRESENCE_HIDDEN;
}

/* -------------------------------------------------------------------------------------------------- target --- */

static void gather_presence(int root, struct facts *facts)
{
	struct stat stat;

	facts->presence_error = -read_status(root, file_of(facts->pid, "status").text, &facts->target);
	if (facts->presence_error == 0) {
		facts->presence = PRESENCE_SEEN;
	} else if (facts->presence_error == ENOENT || facts->presence_error == ESRCH) {
		facts->presence = ask_kernel(facts);
	} else {
		facts->presence = PRESENCE_CLOSED;
		facts->dir_uid = fstatat(root, file_of(facts->pid, "").text, &stat, 0) == 0 ? stat.st_uid : OVERFLOW_ID;
	}
}

static bool is_kthread(int root, const struct facts *facts)
{
	AUTO_BUFFER text = { 0 };
	struct process_stat stat;

	if (facts->target.kthread >= 0)
		return facts->target.kthread != 0;
	if (buffer_read_file(&text, root, file_of(facts->pid, "stat").text) < 0 ||
	    stat_parse(text.bytes, text.size, &stat) < 0)
		return false;
	return stat.flags & PROCESS_FLAG_KTHREAD;
}

static bool has_ended(char state)
{
	return state == 'Z' || state == 'X' || state == 'x';
}

/* Go through the threads: one that lives, where the first has ended; and one that is traced. */
static void gather_threads(int root, struct facts *facts)
{
	struct name name = file_of(facts->pid, "task");
	AUTO_DIR dir = open_directory_at(root, name.text);

	facts->tracer = facts->target.tracer;
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		struct process_status thread;
		char file[sizeof entry->d_name + 8];
		snprintf(file, sizeof file, "%s/status", entry->d_name);
		if (entry->d_name[0] == '.' || read_status(dirfd(dir), file, &thread) < 0)
			continue;
		if (!facts->living_thread && has_ended(facts->target.state) && !has_ended(thread.state))
			facts->living_thread = thread.pid;
		facts->tracer = facts->tracer ? facts->tracer : thread.tracer;
	}
	if (facts->tracer)
		read_comm(root, facts->tracer, facts->tracer_name);
}

static int try_open(int root, const struct facts *facts, const char *file, struct attempt *attempt)
{
	struct name name = file_of(facts->pid, file);
	struct stat stat;

	if (facts->living_thread)
		snprintf(name.text, sizeof name.text, "%d/task/%d/%s", facts->pid, facts->living_thread, file);
	int fd = openat(root, name.text, O_RDONLY | O_CLOEXEC);
	attempt->error = fd < 0 ? errno : 0;
	if (fstatat(root, name.text, &stat, 0) == 0) {
		attempt->mode = stat.st_mode;
		attempt->uid = stat.st_uid;
		attempt->gid = stat.st_gid;
	}
	return fd;
}

/* Not the target's doing: pidmem itself cannot go on. */
static bool own_trouble(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

/* The abilities, by really opening the files: that changes nothing. */
static int try_files(int root, struct facts *facts, struct pidmem_error *error)
{
	AUTO_FD status = try_open(root, facts, "status", &facts->status); /* for its owner */
	AUTO_FD maps = try_open(root, facts, "maps", &facts->maps);
	AUTO_FD mem = try_open(root, facts, "mem", &facts->mem);
	AUTO_FD pagemap = try_open(root, facts, "pagemap", &facts->pagemap);

	char link[16];

	(void)status;
	facts->link_error = readlinkat(root, file_of(facts->pid, "exe").text, link, sizeof link) < 0 ? errno : 0;
	for (size_t i = 0; i < 3; i++) {
		int number = (const int[]){ facts->maps.error, facts->mem.error, facts->pagemap.error }[i];
		if (own_trouble(number))
			return fail_sys(error, number, "opening the files of process %d", facts->pid);
	}
	facts->read_error = facts->real ? probe_read(maps, mem, pagemap) : 0;
	return 0;
}

/* What its command line says it runs: a hint only, since the program may write there, and exec may lie. */
static void gather_program(int root, struct facts *facts)
{
	struct stat stat;

	read_line(root, file_of(facts->pid, "cmdline").text, facts->program, sizeof facts->program);
	if (facts->program[0] != '/')
		facts->program[0] = 0;
	if (!facts->program[0] || fstatat(AT_FDCWD, facts->program, &stat, 0) < 0 || !S_ISREG(stat.st_mode))
		return;
	unsigned shift = facts->target.uid[ID_EFFECTIVE] == stat.st_uid   ? 6
			 : facts->target.gid[ID_EFFECTIVE] == stat.st_gid ? 3
									  : 0;
	facts->program_mode = stat.st_mode;
	facts->program_unreadable = facts->target.uid[ID_EFFECTIVE] != 0 && !(stat.st_mode >> shift & 04);
}

/* ------------------------------------------------------------------------------------------------ the rules --- */

/* Is the caller an ancestor of the target? Yama goes by real parents, as PPid does. */
static bool is_descendant(int root, const struct facts *facts)
{
	struct process_status status = facts->target;

	for (unsigned i = 0; i < ANCESTORS_MAX && status.ppid > 0; i++) {
		if (status.ppid == facts->self.tgid)
			return true;
		if (read_status(root, file_of(status.ppid, "status").text, &status) < 0)
			return false;
	}
	return false;
}

/* The last proc_mem.force_override= of the kernel's command line counts; behind "--" it is init's. */
static void gather_override(int root, struct facts *facts)
{
	static const char key[] = "proc_mem.force_override=";
	char line[4096];

	read_line(root, "cmdline", line, sizeof line);
	for (char *at = line, *word; (word = strtok_r(at, " ", &at)) && strcmp(word, "--") != 0;)
		if (!strncmp(word, key, sizeof key - 1))
			snprintf(facts->override, sizeof facts->override, "%s", word + sizeof key - 1);
}

static void gather_rules(int root, struct facts *facts)
{
	struct name target = file_of(facts->pid, "");

	target.text[strlen(target.text) - 1] = 0;
	facts->userns = userns_compare(root, "self", target.text);
	facts->yama = read_number(root, "sys/kernel/yama/ptrace_scope", -1);
	facts->descendant = facts->yama > 0 && is_descendant(root, facts);
	facts->suid_dumpable = read_number(root, "sys/fs/suid_dumpable", -1);
	read_line(root, file_of(facts->pid, "attr/current").text, facts->label, sizeof facts->label);
	gather_override(root, facts);
	gather_program(root, facts);
	if (facts->real)
		probe_modules(root, facts);
}

static int gather_target(int root, struct facts *facts, struct pidmem_error *error)
{
	if (facts->target.tgid != facts->pid) {
		read_comm(root, facts->target.tgid, facts->process_name);
		return 0;
	}
	facts->kthread = is_kthread(root, facts);
	read_comm(root, facts->target.ppid, facts->parent_name);
	gather_threads(root, facts);
	int result = try_files(root, facts, error);
	if (result < 0)
		return result;
	gather_rules(root, facts);
	/* It may have ended meanwhile: then what the files said is no refusal. */
	if (facts->maps.error == ESRCH || facts->maps.error == ENOENT || facts->mem.error == ESRCH)
		gather_presence(root, facts);
	return 0;
}

int facts_gather(pid_t pid, const struct pidmem_open_options *options, struct pidmem_error *error, struct facts *facts)
{
	const char *path = options && options->proc ? options->proc : "/proc";
	AUTO_FD root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return fail_sys(error, errno, "%s", path);
	*facts = (struct facts){ .pid = pid, .maps.error = ENOENT, .mem.error = ENOENT, .pagemap.error = ENOENT };
	gather_self(root, facts);
	gather_hidepid(root, path, facts);
	gather_presence(root, facts);
	if (own_trouble(facts->presence_error))
		return fail_sys(error, facts->presence_error, "%s/%d/status", path, pid);
	if (facts->presence_error == EBADMSG)
		return fail(error, PIDMEM_FORMAT, EBADMSG, "%s/%d/status is not what Linux writes", path, pid);
	if (facts->real && facts->self.seccomp > 0)
		probe_filter(facts);
	return facts->presence == PRESENCE_SEEN ? gather_target(root, facts, error) : 0;
}
