/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiling rules of YARA. Each file is a namespace of its own, so that names may be used again. */
#include "find/rules.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "find/yara.h"

struct rules {
	const struct yara *yara;
	YR_COMPILER *compiler;
	YR_RULES *compiled;
	size_t count;
	bool failed; /* libyara: a compiler cannot be used again after an error */
};

/* libyara counts its users without a lock. */
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;

static bool begin(const struct yara *yara)
{
	pthread_mutex_lock(&counting);
	int result = yara->yr_initialize();
	pthread_mutex_unlock(&counting);
	return result == ERROR_SUCCESS;
}

static void end(const struct yara *yara)
{
	pthread_mutex_lock(&counting);
	yara->yr_finalize();
	pthread_mutex_unlock(&counting);
}

void rules_free(struct rules *rules)
{
	if (!rules)
		return;
	if (rules->compiled)
		rules->yara->yr_rules_destroy(rules->compiled);
	if (rules->compiler)
		rules->yara->yr_compiler_destroy(rules->compiler);
	end(rules->yara);
	free(rules);
}
DEFINE_CLEANUP(cleanup_rules, struct rules *, rules_free)

static int rules_new(struct pidmem_error *error, struct rules **out)
{
	const struct yara *yara = yara_load();

	if (!yara)
		return with_hint(error,
				 fail(error, PIDMEM_UNSUPPORTED, ENOTSUP, "YARA (%s) is not installed", YARA_SONAME),
				 "install libyara; -x and -e look for patterns without it");
	if (!begin(yara))
		return fail_memory(error);
	CLEANUP(cleanup_rules) struct rules *rules = calloc(1, sizeof *rules);
	if (!rules) {
		end(yara);
		return fail_memory(error);
	}
	rules->yara = yara;
	if (yara->yr_compiler_create(&rules->compiler) != ERROR_SUCCESS)
		return fail_memory(error);
	*out = take(rules);
	return 0;
}

size_t rules_count(const struct rules *rules)
{
	return rules ? rules->count : 0;
}

/* The first mistake: what follows it is mostly its consequence. */
static void take_mistake(int level, const char *file, int line, const YR_RULE *rule, const char *text, void *user)
{
	struct pidmem_error *error = user;

	(void)rule;
	if (level != YARA_ERROR_LEVEL_ERROR || error->text[0])
		return;
	with_address(
		error,
		with_hint(error, fail(error, PIDMEM_USAGE, EINVAL, "%s:%d: %s", file ? file : "", line, text),
			  "`yarac FILE /dev/null` shows all mistakes; -x and -e look for one pattern without rules"),
		(uint64_t)line);
}

static int open_rules(const char *path, struct pidmem_error *error, FILE **out)
{
	FILE *file = fopen(path, "re");
	struct stat stat;

	if (!file)
		return fail_sys(error, errno, "cannot open %s", path);
	if (fstat(fileno(file), &stat) == 0 && S_ISDIR(stat.st_mode)) {
		fclose(file);
		return fail_sys(error, EISDIR, "cannot read %s", path);
	}
	*out = file;
	return 0;
}

static int compile(struct rules *rules, const char *path, struct pidmem_error *error)
{
	struct pidmem_error mistake = { 0 };
	char name[32];
	FILE *file = NULL;
	int result = open_rules(path, error, &file);

	if (result < 0)
		return result;
	snprintf(name, sizeof name, "%zu", rules->count);
	rules->yara->yr_compiler_set_callback(rules->compiler, take_mistake, &mistake);
	int mistakes = rules->yara->yr_compiler_add_file(rules->compiler, file, name, path);
	rules->yara->yr_compiler_set_callback(rules->compiler, NULL, NULL);
	fclose(file);
	if (!mistakes)
		return 0;
	rules->failed = true;
	if (!mistake.text[0])
		return fail(error, PIDMEM_USAGE, EINVAL, "%s cannot be compiled", path);
	if (error)
		*error = mistake;
	return -EINVAL;
}

int rules_add(struct rules **out, const struct pidmem_pattern *given, struct pidmem_error *error)
{
	AUTO_FREE char *path = strndup(given->text, given->length);
	int result = !path ? fail_memory(error) : *out ? 0 : rules_new(error, out);
	struct rules *rules = path ? *out : NULL;

	if (!rules)
		return result;
	if (rules->failed || rules->compiled)
		return fail(error, PIDMEM_USAGE, EBUSY, "nothing can be added to these rules any more");
	result = compile(rules, path, error);
	if (result == 0)
		rules->count++;
	return result;
}

int rules_prepare(struct rules *rules, struct pidmem_error *error)
{
	if (rules->compiled)
		return 0;
	if (rules->failed)
		return fail(error, PIDMEM_USAGE, EINVAL, "these rules have mistakes");
	if (rules->yara->yr_compiler_get_rules(rules->compiler, &rules->compiled) != ERROR_SUCCESS)
		return fail_memory(error);
	if (!rules->compiled->num_rules)
		return with_hint(error, fail(error, PIDMEM_USAGE, EINVAL, "there are no rules in that file"),
				 "a rule: rule NAME { strings: $a = \"text\" condition: $a }");
	return 0;
}

struct YR_RULES *rules_compiled(const struct rules *rules, const struct yara **yara)
{
	*yara = rules->yara;
	return rules->compiled;
}
