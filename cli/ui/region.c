/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/region.h"
#include "ui/output.h"

char *put_perms(char *at, const struct pidmem_region *region)
{
	char none = region->perms & PIDMEM_PERM_UNKNOWN ? '?' : '-';

	*at++ = region->perms & PIDMEM_PERM_READ ? 'r' : none;
	*at++ = region->perms & PIDMEM_PERM_WRITE ? 'w' : none;
	*at++ = region->perms & PIDMEM_PERM_EXEC ? 'x' : none;
	if (region->perms & PIDMEM_PERM_SHARING_UNKNOWN)
		*at++ = '?';
	else
		*at++ = region->perms & PIDMEM_PERM_SHARED ? 's' : 'p';
	return at;
}

static char *put_number(char *at, uint32_t number)
{
	return number < 0x100 ? put_hex_fixed(at, number, 2) : put_hex(at, number);
}

char *put_dev(char *at, const struct pidmem_region *region)
{
	at = put_number(at, region->dev_major);
	*at++ = ':';
	return put_number(at, region->dev_minor);
}

char *put_end(char *at, uint64_t start, uint64_t size)
{
	if (start + size == 0 && size)
		return put_text(at, "10000000000000000");
	return put_hex(at, start + size);
}
