/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memfd_secret (Linux 5.14): memory that only its owner can read. */
#include <sys/syscall.h>

#include "victim.h"

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

int main(void)
{
	int fd = (int)syscall(SYS_memfd_secret, 0);
	char *region;

	if (fd < 0 || ftruncate(fd, 2 * PAGE))
		skip("memfd_secret");
	region = map_apart(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	fill(region, 2, 26);
	fact("region", region);
	return ready();
}
