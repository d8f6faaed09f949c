/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A userfaultfd belongs to the address space of the task that called it, whoever holds the descriptor. So a thread of
 * the target makes the call, the descriptor is taken over (pidfd_getfd(2), Linux 5.6), and closed there again. All
 * threads stand still meanwhile: none of them can see it, use its number or hand it to a child.
 */
#include "stop/tracking.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stop/call.h"

/* The table of files is that of a thread: the first one may have ended (PIDFD_THREAD, Linux 6.9). */
static int open_pidfd(pid_t pid, pid_t tid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid == tid ? pid : tid, pid == tid ? 0U : (unsigned)O_EXCL);

	if (fd < 0 && pid != tid)
		fd = (int)syscall(SYS_pidfd_open, pid, 0U);
	return fd;
}

static int take_over(const struct caller *caller, int number)
{
	AUTO_FD pidfd = open_pidfd(caller->pid, caller->tid);
	int fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, number, 0U);

	return fd < 0 ? -errno : fd;
}

int tracking_open(const struct stop_process *process)
{
	struct caller caller;
	int result = call_begin_any(&caller, process);

	if (result < 0)
		return result;
	long number = call_make(&caller, caller.arch->calls.userfaultfd,
				(uint64_t[6]){ O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY });
	result = number < 0 ? (int)number : take_over(&caller, (int)number);
	if (number >= 0)
		call_make(&caller, caller.arch->calls.close, (uint64_t[6]){ (uint64_t)number });
	call_end(&caller);
	return result;
}

/* A message of one byte that carries a descriptor, see cmsg(3). */
struct parcel {
	char byte;
	struct iovec part;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr message;
};

static void wrap(struct parcel *parcel)
{
	memset(parcel, 0, sizeof *parcel);
	parcel->part = (struct iovec){ &parcel->byte, 1 };
	parcel->message = (struct msghdr){
		.msg_iov = &parcel->part,
		.msg_iovlen = 1,
		.msg_control = parcel->control,
		.msg_controllen = sizeof parcel->control,
	};
}

int tracking_send(int socket, int fd)
{
	struct parcel parcel;

	wrap(&parcel);
	struct cmsghdr *head = CMSG_FIRSTHDR(&parcel.message);
	*head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd) };
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
	return sendmsg(socket, &parcel.message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int tracking_receive(int socket)
{
	struct parcel parcel;
	ssize_t got;
	int fd;

	wrap(&parcel);
	do
		got = recvmsg(socket, &parcel.message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	const struct cmsghdr *head = got == 1 ? CMSG_FIRSTHDR(&parcel.message) : NULL;
	if (!head || head->cmsg_type != SCM_RIGHTS) /* EMFILE here: the message comes without */
		return got < 0 ? -errno : got == 0 ? -EPIPE : -EMFILE;
	memcpy(&fd, CMSG_DATA(head), sizeof fd);
	return fd;
}
