/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hidepid - the option of procfs that hides other users' processes: proc(5), Documentation/filesystems/proc.rst */
#ifndef PROCESS_HIDEPID_H
#define PROCESS_HIDEPID_H

#include <stddef.h>
#include <sys/types.h>

/**
 * hidepid_parse() - find a procfs in the text of /proc/PID/mountinfo and tell its hidepid
 * @text:  ends in a NUL
 * @dev:   device of the procfs, by which it is found; 0: by @point instead
 * @point: where it is mounted, as mountinfo writes it
 *
 * Returns 0, 1, 2 or 4; -1 if that procfs is not in the text or its option is not known.
 */
int hidepid_parse(const char *text, dev_t dev, const char *point);

#endif
