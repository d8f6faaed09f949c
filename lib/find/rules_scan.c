/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking for what rules of YARA say. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "find/rules.h"
#include "find/rules_blocks.h"

/* A match of a rule that fits; of one that fits without any, `string` is NULL. */
struct finding {
	uint64_t address;
	const YR_RULE *rule;
	const YR_STRING *string;
	size_t size, number; /* in the order of the rules */
	size_t bytes, known; /* in `seen`: what libyara has kept of it */
};

struct rules_scan {
	const struct yara *yara;
	YR_SCANNER *scanner;
	struct blocks blocks;
	struct finding *findings;
	size_t count, capacity, told;
	struct buffer seen;
	unsigned char *bytes; /* of a match and its context */
	bool done;
	bool failed;               /* no memory */
	const YR_STRING *too_many; /* that is found too often */
};

void rules_scan_free(struct rules_scan *scan)
{
	if (!scan)
		return;
	if (scan->scanner)
		scan->yara->yr_scanner_destroy(scan->scanner);
	blocks_done(&scan->blocks);
	buffer_done(&scan->seen);
	free(scan->findings);
	free(scan->bytes);
	free(scan);
}
DEFINE_CLEANUP(cleanup_rules_scan, struct rules_scan *, rules_scan_free)

/* ------------------------------------------------------------------------------------ what is found --- */

static void add(struct rules_scan *scan, const struct finding *finding)
{
	struct finding *findings = array_grow(scan->findings, scan->count, &scan->capacity, sizeof *findings);

	if (!findings) {
		scan->failed = true;
		return;
	}
	scan->findings = findings;
	findings[scan->count] = *finding;
	findings[scan->count].number = scan->count;
	scan->count++;
}

/* libyara packs its matches without regard to their alignment. */
#define PACKED __attribute__((no_sanitize("alignment")))

PACKED
static void add_match(struct rules_scan *scan, const YR_RULE *rule, const YR_STRING *string, const YR_MATCH *match)
{
	struct finding finding = {
		.address = (uint64_t)match->base + (uint64_t)match->offset,
		.rule = rule,
		.string = string,
		.size = match->match_length < LONGEST_MATCH ? (size_t)match->match_length : LONGEST_MATCH,
		.bytes = scan->seen.size,
	};
	uint64_t align = scan->blocks.find->options.align;

	if (align > 1 && finding.address % align != 0)
		return;
	finding.known = (size_t)match->data_length < finding.size ? (size_t)match->data_length : finding.size;
	if (buffer_append(&scan->seen, match->data, finding.known) < 0)
		scan->failed = true;
	else
		add(scan, &finding);
}

PACKED
static void add_rule(struct rules_scan *scan, YR_SCAN_CONTEXT *context, const YR_RULE *rule)
{
	bool any = false;
	const YR_STRING *string;
	const YR_MATCH *match;

	yr_rule_strings_foreach(rule, string)
	{
		yr_string_matches_foreach(context, string, match)
		{
			any = true;
			add_match(scan, rule, string, match);
		}
	}
	if (!any)
		add(scan, &(struct finding){ .address = UINT64_MAX, .rule = rule });
}

static int hear(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
	struct rules_scan *scan = user;

	if (message == CALLBACK_MSG_RULE_MATCHING) {
		add_rule(scan, context, data);
	} else if (message == CALLBACK_MSG_TOO_MANY_MATCHES) {
		scan->too_many = data;
		return CALLBACK_ERROR;
	}
	return scan->failed ? CALLBACK_ERROR : CALLBACK_CONTINUE;
}

/* By address; those of rules that have none come last. */
static int compare(const void *one, const void *other)
{
	const struct finding *a = one, *b = other;

	if (!a->string != !b->string)
		return !a->string ? 1 : -1;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

static int took_too_long(const struct rules_scan *scan, struct pidmem_error *error)
{
	const struct blocks *blocks = &scan->blocks;

	if (blocks->listed)
		return with_hint(
			error, fail(error, PIDMEM_LIMIT, ETIME, "the conditions of the rules take more than a minute"),
			"loops over wide ranges of numbers are the usual cause");
	return with_hint(error,
			 with_address(error,
				      fail(error, PIDMEM_LIMIT, ETIME,
					   "the rules take more than a minute for the %zu bytes at 0x%" PRIx64,
					   blocks->block.size, blocks->block.base),
				      blocks->block.base),
			 "strings without four known bytes in a row, such as /.*x/, are the usual cause");
}

static int scan_failed(struct rules_scan *scan, int result, struct pidmem_error *error)
{
	const YR_STRING *string =
		scan->too_many ? scan->too_many : scan->yara->yr_scanner_last_error_string(scan->scanner);
	const YR_RULE *rule = string ? &scan->scanner->rules->rules_table[string->rule_idx] : NULL;

	if (scan->blocks.result < 0) {
		if (error)
			*error = scan->blocks.error;
		return scan->blocks.result;
	}
	if (scan->failed || result == ERROR_INSUFFICIENT_MEMORY)
		return fail_memory(error);
	if (result == ERROR_SCAN_TIMEOUT)
		return took_too_long(scan, error);
	if (rule && (scan->too_many || result == ERROR_TOO_MANY_MATCHES))
		return with_hint(
			error,
			fail(error, PIDMEM_LIMIT, E2BIG,
			     "%s of the rule %s is found more than %d times: what rules say of it is not known",
			     string->identifier, rule->identifier, YR_MAX_STRING_MATCHES),
			"make it longer, or look at fewer regions");
	if (rule)
		return fail(error, PIDMEM_LIMIT, ELOOP, "%s of the rule %s takes too many steps", string->identifier,
			    rule->identifier);
	return fail(error, PIDMEM_SYSTEM, EIO, "libyara has failed (its error %d)", result);
}

static int look(struct rules_scan *scan, struct pidmem_error *error)
{
	int result = scan->yara->yr_scanner_scan_mem_blocks(scan->scanner, &scan->blocks.iterator);

	if (result != ERROR_SUCCESS || scan->blocks.result < 0 || scan->failed || scan->too_many)
		return scan_failed(scan, result, error);
	if (scan->count)
		qsort(scan->findings, scan->count, sizeof *scan->findings, compare);
	return 0;
}

/* ------------------------------------------------------------------------------------ telling of it --- */

/* What libyara saw of the match is told, whatever is there now; what it did not keep is read again. */
static int describe(struct pidmem_find *find, const struct finding *finding, struct pidmem_error *error,
		    struct pidmem_match *match)
{
	struct rules_scan *scan = find->rules;
	uint64_t context = find->options.context, before = context < finding->address ? context : finding->address;
	uint64_t start = finding->address - before, size = before + finding->size + context;
	size_t from = (size_t)before;
	ssize_t end = 0;

	if (size > -start && start)
		size = -start;
	if ((context || finding->known < finding->size) &&
	    (end = blocks_read_again(find, start, (size_t)size, (size_t)before, scan->bytes, error, &from)) < 0)
		return (int)end;
	if (!end)
		from = (size_t)before;
	if (finding->known)
		memcpy(scan->bytes + before, scan->seen.bytes + finding->bytes, finding->known);
	size_t known = (size_t)end > before + finding->known ? (size_t)end - (size_t)before : finding->known;
	match->address = finding->address;
	match->length = known < finding->size ? known : finding->size;
	match->region = pidmem_maps_find(find->source->maps, finding->address);
	match->bytes = scan->bytes + from;
	match->before = (size_t)before - from;
	match->behind = known - match->length;
	return match->region ? 1 : 0;
}

int rules_scan_next(struct pidmem_find *find, struct pidmem_error *error, struct pidmem_match *match)
{
	struct rules_scan *scan = find->rules;
	int result = 0;

	if (!scan->done && (result = look(scan, error)) < 0)
		return result;
	scan->done = true;
	while (result == 0 && scan->told < scan->count) {
		const struct finding *finding = &scan->findings[scan->told++];
		*match = (struct pidmem_match){ .pattern = strtoul(finding->rule->ns->name, NULL, 10),
						.rule = finding->rule->identifier,
						.string = finding->string ? finding->string->identifier : NULL,
						.bytes = scan->bytes };
		result = finding->string ? describe(find, finding, error, match) : 1;
	}
	return result;
}

int rules_scan_new(struct pidmem_find *find, struct rules *rules, struct pidmem_error *error)
{
	CLEANUP(cleanup_rules_scan) struct rules_scan *scan = calloc(1, sizeof *scan);

	if (!scan)
		return fail_memory(error);
	YR_RULES *compiled = rules_compiled(rules, &scan->yara);
	if (scan->yara->yr_scanner_create(compiled, &scan->scanner) != ERROR_SUCCESS)
		return fail_memory(error);
	scan->yara->yr_scanner_set_flags(scan->scanner, SCAN_FLAGS_REPORT_RULES_MATCHING | SCAN_FLAGS_PROCESS_MEMORY |
								SCAN_FLAGS_NO_TRYCATCH);
	scan->yara->yr_scanner_set_callback(scan->scanner, hear, scan);
	scan->bytes = malloc(LONGEST_MATCH + 2 * find->options.context);
	if (!scan->bytes || blocks_init(&scan->blocks, find, scan->yara, scan->scanner) < 0)
		return fail_memory(error);
	find->rules = take(scan);
	return 0;
}
