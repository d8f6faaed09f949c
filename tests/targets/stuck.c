/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stuck DIRECTORY: a thread, `tid`, asks a file server (FUSE, mounted on the directory in a mount namespace of its own)
 * that does not answer before standard input ends. Once disturbed, the thread waits on uninterruptibly: only an answer
 * or SIGKILL ends that (request_wait_answer() in fs/fuse/dev.c). Another thread waits as usual.
 */
#include <pthread.h>
#include <sys/syscall.h>

#include "fuse_server.h"

static char path[4096];
static pid_t tid;

/* The server: says on `asked` that it was asked for a name, and answers at the end of `wait`. */
static int serve(int fuse, int asked, int wait)
{
	static struct {
		struct fuse_in_header head;
		char data[1 << 16];
	} in;
	char byte = 0;

	while (read(fuse, &in, sizeof(in)) > 0) {
		if (in.head.opcode == FUSE_INIT) {
			fuse_welcome(fuse, in.head.unique);
		} else if (in.head.opcode == FUSE_LOOKUP) {
			if (write(asked, &byte, 1) != 1 || read(wait, &byte, 1) != 0)
				return 1;
			fuse_reply(fuse, in.head.unique, -ENOENT, NULL, 0);
		} else if (in.head.opcode != FUSE_INTERRUPT && in.head.opcode != FUSE_FORGET) {
			fuse_reply(fuse, in.head.unique, -ENOSYS, NULL, 0);
		}
	}
	return 0;
}

static void *ask(void *unused)
{
	struct stat found;

	(void)unused;
	__atomic_store_n(&tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	return stat(path, &found) && errno == ENOENT ? path : NULL; /* the answer of the server, and no EINTR */
}

int main(int argc, char **argv)
{
	int fuse, asked[2], life[2];
	char *region = map_apart(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), byte;
	void *well = NULL;
	pthread_t thread;
	pid_t server;

	if (argc < 2)
		die("no directory");
	fuse = fuse_mount("stuck", argv[1]);
	if (pipe(asked) || pipe(life))
		die("pipe");
	server = fork();
	if (server == 0) {
		close(life[1]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(serve(fuse, asked[1], life[0]));
	}
	close(fuse);
	fill(region, 1, 63);
	snprintf(path, sizeof(path), "%s/name", argv[1]);
	if (server < 0 || pthread_create(&thread, NULL, ask, NULL) || read(asked[0], &byte, 1) != 1)
		die("the server was not asked");
	fact("region", region);
	fact_number("tid", tid);
	ready();
	close(life[1]);
	pthread_join(thread, &well);
	umount2(argv[1], MNT_DETACH);
	return well ? 0 : 1;
}
