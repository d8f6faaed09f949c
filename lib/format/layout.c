/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/layout.h"

#include <string.h>

const struct core_layout core_layout_64 = {
	.word = 8,
	.prstatus = {
		.signal = { 0, 4 },
		.current_signal = { 12, 2 },
		.pending = { 16, 8 },
		.blocked = { 24, 8 },
		.pid = { 32, 4 },
		.ppid = { 36, 4 },
		.pgrp = { 40, 4 },
		.sid = { 44, 4 },
		.times = { 48, 8 },
		.registers = 112,
	},
	.prpsinfo = {
		.state = { 0, 1 },
		.letter = { 1, 1 },
		.zombie = { 2, 1 },
		.nice = { 3, 1 },
		.flags = { 8, 8 },
		.uid = { 16, 4 },
		.gid = { 20, 4 },
		.pid = { 24, 4 },
		.ppid = { 28, 4 },
		.pgrp = { 32, 4 },
		.sid = { 36, 4 },
		.name = 40,
		.arguments = 56,
		.size = 136,
	},
};

const struct core_layout core_layout_32 = {
	.word = 4,
	.prstatus = {
		.signal = { 0, 4 },
		.current_signal = { 12, 2 },
		.pending = { 16, 4 },
		.blocked = { 20, 4 },
		.pid = { 24, 4 },
		.ppid = { 28, 4 },
		.pgrp = { 32, 4 },
		.sid = { 36, 4 },
		.times = { 40, 4 },
		.registers = 72,
	},
	.prpsinfo = {
		.state = { 0, 1 },
		.letter = { 1, 1 },
		.zombie = { 2, 1 },
		.nice = { 3, 1 },
		.flags = { 4, 4 },
		.uid = { 8, 2 },
		.gid = { 10, 2 },
		.pid = { 12, 4 },
		.ppid = { 16, 4 },
		.pgrp = { 20, 4 },
		.sid = { 24, 4 },
		.name = 28,
		.arguments = 44,
		.size = 124,
	},
};

void field_put(void *structure, struct field field, uint64_t value)
{
	char *at = (char *)structure + field.at;

	switch (field.size) {
	case 1:
		*at = (char)value;
		break;
	case 2:
		memcpy(at, &(uint16_t){ (uint16_t)value }, 2);
		break;
	case 4:
		memcpy(at, &(uint32_t){ (uint32_t)value }, 4);
		break;
	default:
		memcpy(at, &value, 8);
	}
}

uint64_t field_get(const void *structure, struct field field)
{
	const char *at = (const char *)structure + field.at;
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	switch (field.size) {
	case 1:
		return (unsigned char)*at;
	case 2:
		memcpy(&two, at, 2);
		return two;
	case 4:
		memcpy(&four, at, 4);
		return four;
	default:
		memcpy(&eight, at, 8);
		return eight;
	}
}
