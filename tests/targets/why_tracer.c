/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* why_tracer TID: traces that thread as a debugger does, without stopping it. Lets go at the end of its input. */
#include <sys/ptrace.h>

#include "victim.h"

int main(int argc, char **argv)
{
	if (argc < 2 || ptrace(PTRACE_SEIZE, atoi(argv[1]), NULL, NULL))
		die("ptrace");
	return ready();
}
