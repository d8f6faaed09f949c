/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The set of patterns that are looked for together. */
#include "find/pattern.h"

#include <errno.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/options.h"
#include "find/rules.h"

static void pattern_done(struct pattern *pattern)
{
	literal_done(&pattern->literal);
	free(pattern->ranges);
	pcre2_code_free(pattern->code);
}

int pidmem_patterns_new(struct pidmem_error *error, struct pidmem_patterns **out)
{
	struct pidmem_patterns *patterns = calloc(1, sizeof *patterns);

	if (!patterns)
		return fail_memory(error);
	*out = patterns;
	return 0;
}

void pidmem_patterns_free(struct pidmem_patterns *patterns)
{
	if (!patterns)
		return;
	for (size_t i = 0; i < patterns->count; i++)
		pattern_done(&patterns->items[i]);
	literals_free(patterns->literals);
	rules_free(patterns->rules);
	free(patterns->items);
	free(patterns);
}

size_t pidmem_patterns_count(const struct pidmem_patterns *patterns)
{
	return patterns->count + rules_count(patterns->rules);
}

static int compile(struct pattern *pattern, const struct pidmem_pattern *given, struct pidmem_error *error)
{
	switch (given->kind) {
	case PIDMEM_PATTERN_TEXT:
		return literal_text(pattern, given, error);
	case PIDMEM_PATTERN_HEX:
		return literal_hex(pattern, given, error);
	case PIDMEM_PATTERN_REGEX:
		return regex_compile(pattern, given, error);
	case PIDMEM_PATTERN_VALUE:
		return value_parse(pattern, given, error);
	case PIDMEM_PATTERN_STRINGS:
		return strings_init(pattern, given, error);
	default:
		return fail(error, PIDMEM_USAGE, EINVAL, "there is no such kind of pattern");
	}
}

static void account_for(struct pidmem_patterns *patterns, const struct pattern *pattern)
{
	patterns->type = patterns->count == 0 || patterns->type == pattern->type ? pattern->type : PIDMEM_TYPE_NONE;
	patterns->longest = pattern->longest > patterns->longest ? pattern->longest : patterns->longest;
	patterns->behind = pattern->behind > patterns->behind ? pattern->behind : patterns->behind;
	patterns->chained |= pattern->matcher == &regex_matcher;
}

int pidmem_patterns_add(struct pidmem_patterns *patterns, const struct pidmem_pattern *added,
			struct pidmem_error *error)
{
	struct pidmem_pattern given;
	struct pattern pattern = { 0 };
	int result = options_take(&given, sizeof given, added, error);

	if (result < 0)
		return result;
	if (patterns->prepared)
		return fail(error, PIDMEM_USAGE, EBUSY, "these patterns are looked for already");
	if (patterns->rules ? given.kind != PIDMEM_PATTERN_RULES
			    : patterns->count && given.kind == PIDMEM_PATTERN_RULES)
		return fail(error, PIDMEM_USAGE, EINVAL, "rules of YARA are looked for alone, without other patterns");
	if (given.kind == PIDMEM_PATTERN_RULES)
		return rules_add(&patterns->rules, &given, error);
	struct pattern *items = array_grow(patterns->items, patterns->count, &patterns->capacity, sizeof *items);
	if (!items)
		return fail_memory(error);
	patterns->items = items;
	result = compile(&pattern, &given, error);
	if (result < 0) {
		pattern_done(&pattern);
		return result;
	}
	account_for(patterns, &pattern);
	items[patterns->count++] = pattern;
	return 0;
}

int patterns_prepare(struct pidmem_patterns *patterns, struct pidmem_error *error)
{
	if (patterns->prepared)
		return 0;
	if (patterns->rules) {
		int result = rules_prepare(patterns->rules, error);
		if (result < 0)
			return result;
	}
	patterns->prepared = true;
	return literals_new(patterns, &patterns->literals) < 0 ? fail_memory(error) : 0;
}
