/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What find is to look for: options, operands, and the lines of a file. */
#include "failure.h"
#include "find.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool find_wish_add(struct find_wish *wish, const char *text, enum pidmem_pattern_kind kind)
{
	if (wish->count == wish->capacity) {
		size_t capacity = wish->capacity ? 2 * wish->capacity : 16;
		struct find_text *texts = reallocarray(wish->texts, capacity, sizeof(*texts));

		if (!texts)
			return false;
		wish->texts = texts;
		wish->capacity = capacity;
	}
	wish->texts[wish->count++] = (struct find_text){ text, kind };
	return true;
}

void find_wish_done(struct find_wish *wish)
{
	free(wish->texts);
	free(wish->lines);
}

static int parse_type(struct find_wish *wish)
{
	const char *name;

	for (int type = PIDMEM_TYPE_U8; (name = pidmem_value_type_name((enum pidmem_value_type)type)); type++)
		if (!strcmp(wish->type, name))
			wish->value_type = (enum pidmem_value_type)type;
	if (wish->value_type)
		return 0;
	fail("find: there is no type \"%s\"", wish->type);
	hint("it is one of u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 ptr");
	return EXIT_FAILED;
}

/* Of which kind are patterns that stand alone? That of the one option which names a kind, else text. */
static int choose_kind(const struct find_wish *wish, enum pidmem_pattern_kind *kind)
{
	bool given[PIDMEM_PATTERN_RULES + 1] = { false };
	int kinds = 0;

	for (size_t i = 0; i < wish->count; i++)
		given[wish->texts[i].kind] = true;
	given[PIDMEM_PATTERN_VALUE] = wish->value_type;
	*kind = PIDMEM_PATTERN_TEXT;
	for (int i = 0; i <= PIDMEM_PATTERN_RULES; i++) {
		if (!given[i])
			continue;
		*kind = (enum pidmem_pattern_kind)i;
		kinds++;
	}
	if (kinds < 2)
		return 0;
	fail("find: of which kind the patterns without -e and -x are is not clear");
	hint("with several kinds give each pattern its own -e or -x");
	return EXIT_FAILED;
}

/* One pattern on each line; empty lines are passed over, since they would fit anywhere. */
static int add_lines(struct find_wish *wish, enum pidmem_pattern_kind kind)
{
	FILE *file = !strcmp(wish->file, "-") ? stdin : fopen(wish->file, "re");
	size_t room = 0;
	ssize_t size = file ? getdelim(&wish->lines, &room, '\0', file) : -1;
	bool failed = !file || ferror(file), binary = file && !failed && !feof(file);

	if (!file || failed)
		fail("cannot read \"%s\": %s", wish->file, strerror(errno));
	if (file && file != stdin)
		fclose(file);
	if (failed)
		return EXIT_FAILED;
	if (binary || (size > 0 && !wish->lines[size - 1]))
		return fail("find: there are NULs in \"%s\": patterns are lines of text", wish->file);
	for (char *rest = size > 0 ? wish->lines : NULL, *line; (line = strsep(&rest, "\n"));)
		if (*line && !find_wish_add(wish, line, kind))
			return fail("out of memory");
	return 0;
}

static const char *const changes[] = {
	[PIDMEM_CHANGED] = "changed",
	[PIDMEM_UNCHANGED] = "unchanged",
	[PIDMEM_INCREASED] = "increased",
	[PIDMEM_DECREASED] = "decreased",
};

/* With --in: "changed" is no text that is looked for. Of two such words the second one is one pattern too many. */
static bool is_change(struct find_wish *wish, const char *operand)
{
	for (int i = PIDMEM_CHANGED; wish->earlier && !wish->change && i <= PIDMEM_DECREASED; i++) {
		if (strcmp(operand, changes[i]) != 0)
			continue;
		wish->change = (enum pidmem_change)i;
		return true;
	}
	return false;
}

/* Rules say themselves what is looked for, and how. */
static int check_rules(const struct find_wish *wish, const struct invocation *invocation)
{
	bool rules = false, others = wish->value_type || wish->strings || wish->file || invocation->operand_count > 1;

	for (size_t i = 0; i < wish->count; i++) {
		rules |= wish->texts[i].kind == PIDMEM_PATTERN_RULES;
		others |= wish->texts[i].kind != PIDMEM_PATTERN_RULES;
	}
	if (!rules || !(others || wish->any_case || wish->wide || wish->earlier))
		return 0;
	if (wish->earlier) {
		fail("find: rules of YARA look at all memory, and not at earlier matches alone");
		hint("leave out --in, or look for one pattern at their places");
	} else {
		fail("find: rules of YARA stand alone, without other patterns and how they are meant");
		hint("put them into a rule: strings: $a = \"text\" nocase wide");
	}
	return EXIT_FAILED;
}

static int check_kinds(const struct find_wish *wish)
{
	bool patterns = wish->count > 0;

	bool values = false;

	for (size_t i = 0; i < wish->count; i++)
		values |= wish->texts[i].kind == PIDMEM_PATTERN_VALUE;
	if (patterns && wish->value_type && !values) {
		fail("find: there is no value of the type %s to look for", wish->type);
		hint("values stand alone: pidmem find TARGET -t %s VALUE", wish->type);
		return EXIT_FAILED;
	}
	if (wish->strings && (patterns || wish->value_type)) {
		fail("find: --strings shows all strings, and takes no patterns");
		hint("a pattern is found wherever it stands: leave out --strings");
		return EXIT_FAILED;
	}
	if (wish->change && (patterns || wish->value_type)) {
		fail("find: \"%s\" tells of earlier matches what has become of them, and stands alone",
		     changes[wish->change]);
		hint("the word itself is looked for by -e %s", changes[wish->change]);
		return EXIT_FAILED;
	}
	if (!patterns && !wish->strings && !wish->earlier) {
		fail(wish->file ? "find: there is no pattern in \"%s\"" : "find needs a PATTERN", wish->file);
		hint("usage: pidmem find [OPTIONS] TARGET PATTERN...");
		return EXIT_FAILED;
	}
	return 0;
}

int find_wish_complete(struct find_wish *wish, const struct invocation *invocation)
{
	enum pidmem_pattern_kind kind = PIDMEM_PATTERN_TEXT;
	int failed = wish->type ? parse_type(wish) : 0;

	if (!failed)
		failed = check_rules(wish, invocation);
	if (!failed && (invocation->operand_count > 1 || wish->file))
		failed = choose_kind(wish, &kind);
	for (int i = 1; !failed && i < invocation->operand_count; i++)
		if ((wish->value_type || !is_change(wish, invocation->operands[i])) &&
		    !find_wish_add(wish, invocation->operands[i], kind))
			failed = fail("out of memory");
	if (!failed && wish->file)
		failed = add_lines(wish, kind);
	if (!failed)
		failed = check_kinds(wish);
	if (!failed && wish->strings && !find_wish_add(wish, "strings", PIDMEM_PATTERN_STRINGS))
		failed = fail("out of memory");
	return failed;
}

static int compile(const struct find_wish *wish, const struct find_text *text, bool wide,
		   const struct pidmem_maps *maps, struct pidmem_patterns *patterns)
{
	struct pidmem_pattern pattern = PIDMEM_INIT(pattern);
	struct pidmem_error error;

	pattern.kind = text->kind;
	pattern.type = text->kind == PIDMEM_PATTERN_VALUE ? wish->value_type : PIDMEM_TYPE_NONE;
	pattern.text = text->text;
	pattern.length = strlen(text->text);
	pattern.any_case = wish->any_case;
	pattern.wide = wide;
	pattern.least = wish->least;
	pattern.maps = maps;
	return pidmem_patterns_add(patterns, &pattern, &error) < 0 ? fail_with(&error) : 0;
}

int find_wish_compile(const struct find_wish *wish, const struct pidmem_maps *maps, struct pidmem_patterns *patterns)
{
	int failed = 0;

	for (size_t i = 0; !failed && i < wish->count; i++)
		failed = compile(wish, &wish->texts[i], wish->wide, maps, patterns);
	return failed;
}
