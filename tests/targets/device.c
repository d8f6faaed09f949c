/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ring buffer of a perf event: VM_IO and VM_PFNMAP since Linux 6.15. Reading such memory may hang a machine. */
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "victim.h"

int main(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.exclude_kernel = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	void *ring;

	if (fd < 0)
		skip("perf_event_open");
	ring = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		skip("mmap of a perf event");
	fact("ring", ring);
	return ready();
}
