/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* 2 GiB of private and 64 MiB of shared memory that nobody has touched, and must not have after a visit. */
#include "victim.h"

int main(void)
{
	fact("private", map_apart(2 * GIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, -1));
	fact("shared", map_apart(64 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, -1));
	return ready();
}
