/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 4648, section 4. */
#include "ui/json.h"
#include "ui/output.h"

static void put_group(struct base64 *base64)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned group = (unsigned)base64->held[0] << 16 | (unsigned)base64->held[1] << 8 | base64->held[2];

	for (unsigned i = 0; i < 4; i++)
		output_char(i <= base64->count ? digits[group >> (18 - 6 * i) & 63] : '=');
	*base64 = (struct base64){ .count = 0 };
}

void json_open_base64(const char *key, struct base64 *base64)
{
	*base64 = (struct base64){ .count = 0 };
	json_open_text(key);
}

void json_add_base64(struct base64 *base64, const void *bytes, size_t size)
{
	const unsigned char *from = bytes;

	while (size--) {
		base64->held[base64->count++] = *from++;
		if (base64->count == 3)
			put_group(base64);
	}
}

void json_close_base64(struct base64 *base64)
{
	if (base64->count)
		put_group(base64);
	json_close_text();
}
