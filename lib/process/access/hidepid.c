/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/access/hidepid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Words since Linux 5.8, numbers before. */
static const struct {
	const char *word;
	int value;
} values[] = {
	{ "0", 0 }, { "off", 0 },       { "1", 1 }, { "noaccess", 1 },
	{ "2", 2 }, { "invisible", 2 }, { "4", 4 }, { "ptraceable", 4 },
};

/* From the options of the file system: comma-separated, without hidepid when it is off. */
static int from_options(const char *options, const char *end)
{
	static const char key[] = "hidepid=";

	while (options < end) {
		size_t length = strcspn(options, ", \n");
		if (length >= sizeof key - 1 && !strncmp(options, key, sizeof key - 1)) {
			const char *value = options + sizeof key - 1;
			length -= sizeof key - 1;
			for (size_t i = 0; i < sizeof values / sizeof *values; i++)
				if (strlen(values[i].word) == length && !strncmp(value, values[i].word, length))
					return values[i].value;
			return -1;
		}
		options += length + 1;
	}
	return 0;
}

/* "63 45 0:39 / /proc rw,relatime shared:1 - proc proc rw,hidepid=invisible": proc_pid_mountinfo(5) */
static int from_line(const char *line, const char *end, dev_t dev, const char *point)
{
	unsigned major, minor;
	int at = 0, point_size = 0, options = 0;
	const char *tail = memmem(line, (size_t)(end - line), " - proc ", 8);

	if (!tail || sscanf(line, "%*d %*d %u:%u %*s %n%*s%n", &major, &minor, &at, &point_size) < 2 || !point_size)
		return -1;
	if (dev ? makedev(major, minor) != dev
		: strlen(point) != (size_t)(point_size - at) || strncmp(line + at, point, strlen(point)) != 0)
		return -1;
	if (sscanf(tail, " - proc %*s %n", &options) < 0 || !options)
		return -1;
	return from_options(tail + options, end);
}

int hidepid_parse(const char *text, dev_t dev, const char *point)
{
	int found = -1;

	while (*text) {
		const char *end = strchrnul(text, '\n');
		int value = from_line(text, end, dev, point);
		if (value >= 0)
			found = value; /* the last one is mounted over those before */
		text = *end ? end + 1 : end;
	}
	return found;
}
