/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* why_closed: a process that has made itself not dumpable. */
#include "victim.h"

int main(void)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		die("prctl");
	return ready();
}
