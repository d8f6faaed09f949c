/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pattern of any kind, by the first bytes of the input, and a look for it in what follows: nothing outside is read.
 */
#include "find/scanner.h"
#include "fuzz.h"

#define KINDS (PIDMEM_PATTERN_STRINGS + 1)
#define TYPES (PIDMEM_TYPE_PTR + 1)

static struct pidmem_patterns *compile(const uint8_t *head, const char *text, size_t length)
{
	struct pidmem_pattern pattern = PIDMEM_INIT(pattern);
	struct pidmem_patterns *patterns;
	struct pidmem_error error = { 0 };

	pattern.kind = (enum pidmem_pattern_kind)(head[0] % KINDS);
	pattern.type = (enum pidmem_value_type)(head[0] / KINDS % TYPES);
	pattern.any_case = head[1] & 1;
	pattern.wide = head[1] & 2;
	pattern.least = head[1] >> 4;
	pattern.text = text;
	pattern.length = length;
	MUST(pidmem_patterns_new(NULL, &patterns) == 0);
	if (pidmem_patterns_add(patterns, &pattern, &error) == 0)
		return patterns;
	MUST(error.code != PIDMEM_OK && error.text[0]);
	pidmem_patterns_free(patterns);
	return NULL;
}

static void look(struct pidmem_patterns *patterns, const uint8_t *bytes, size_t size)
{
	struct pidmem_error error = { 0 };
	struct scanner scanner;
	struct hit hit, last = { 0 };
	int result;

	MUST(patterns_prepare(patterns, NULL) == 0 && scanner_init(&scanner, patterns) == 0);
	struct window window = { bytes, size, 0x1000, true };
	scanner_begin(&scanner, &window, 0, size);
	while ((result = scanner_next(&scanner, &error, &hit)) == 1) {
		uint32_t pattern;
		MUST(hit.size && hit.size <= patterns->longest && hit.at + hit.size <= size && hit.at >= last.at);
		/* What is found there is found by a look at that place alone. */
		MUST(patterns->behind || scanner_match(&scanner, &window, hit.at, NULL, &pattern) == (ssize_t)hit.size);
		last = hit;
	}
	MUST(result == 0 || error.text[0]);
	scanner_done(&scanner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	size_t length = data[2] < size - 3 ? data[2] : size - 3;
	/* Copies that end where they end: a sanitizer sees what is read behind them. */
	char *text = malloc(length ? length : 1);
	uint8_t *bytes = malloc(size > 3 + length ? size - 3 - length : 1);
	MUST(text && bytes);
	memcpy(text, data + 3, length);
	memcpy(bytes, data + 3 + length, size - 3 - length);
	struct pidmem_patterns *patterns = compile(data, text, length);
	if (patterns)
		look(patterns, bytes, size - 3 - length);
	pidmem_patterns_free(patterns);
	free(text);
	free(bytes);
	return 0;
}
