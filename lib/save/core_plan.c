/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "save/core_plan.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "process/coredump.h"
#include "source/source.h"

/*
 * The kernel gives a region that was touched at all its whole size in the file, as one hole mostly. Some programs
 * reserve terabytes that way (sanitizers, Go), and files end at 16 TiB on ext4. In regions larger than SPLIT_ABOVE,
 * untouched stretches of SPLIT_LEAST and more become segments of their own, of which nothing is in the file. All other
 * cores have exactly the segments that the kernel's have.
 */
#define SPLIT_ABOVE (64ULL << 30)
#define SPLIT_LEAST (1ULL << 30)
/* Of files, a walk without reading tells where data begins, not where it ends: look again after so much. */
#define LOOK_AGAIN (8ULL << 20)

void core_plan_done(struct core_plan *plan)
{
	free(take(plan->parts));
	plan->count = plan->capacity = 0;
}

int core_plan_add(struct core_plan *plan, const struct core_part *part)
{
	struct core_part *parts = array_grow(plan->parts, plan->count, &plan->capacity, sizeof *parts);

	if (!parts)
		return -ENOMEM;
	plan->parts = parts;
	parts[plan->count++] = *part;
	return 0;
}

static int add(struct core_plan *plan, const struct core_part *part, struct pidmem_error *error)
{
	return core_plan_add(plan, part) < 0 ? fail_memory(error) : 0;
}

/* A stretch of a large region that is dumped whole: what is in the file, or is not because it is zero. */
static int add_stretch(struct core_plan *plan, const struct pidmem_region *region, uint64_t start, uint64_t size,
		       bool zero, struct pidmem_error *error)
{
	struct core_part part = {
		.region = region, .start = start, .size = size, .file_size = zero ? 0 : size, .known = zero
	};
	return size ? add(plan, &part, error) : 0;
}

static int add_split(struct core_plan *plan, struct pidmem_source *source, const struct core_part *whole,
		     struct pidmem_error *error)
{
	AUTO_WALK walk = NULL;
	struct pidmem_span span;
	uint64_t begun = whole->start, zeros = begun, at = begun; /* of what is not in the plan yet */
	int result = pidmem_walk_open(source, whole->start, whole->size, 0, error, &walk);

	if (result < 0)
		return result;
	walk_move(walk, whole->start, whole->size, PIDMEM_WALK_STATES);
	while ((result = pidmem_walk_next(walk, error, &span)) == 1) {
		bool zero = span.class_ == PIDMEM_ZERO;
		if (!zero && at - zeros >= SPLIT_LEAST) {
			if ((result = add_stretch(plan, whole->region, begun, zeros - begun, false, error)) < 0 ||
			    (result = add_stretch(plan, whole->region, zeros, at - zeros, true, error)) < 0)
				return result;
			begun = at;
		}
		if (span.class_ == PIDMEM_READ && span.size > LOOK_AGAIN) {
			span.size = LOOK_AGAIN;
			walk_move(walk, span.start + LOOK_AGAIN, whole->start + whole->size - span.start - LOOK_AGAIN,
				  PIDMEM_WALK_STATES);
		}
		at = span.start + span.size;
		if (!zero)
			zeros = at;
	}
	if (result < 0)
		return result;
	if (at - zeros < SPLIT_LEAST)
		zeros = at;
	result = add_stretch(plan, whole->region, begun, zeros - begun, false, error);
	return result < 0 ? result : add_stretch(plan, whole->region, zeros, at - zeros, true, error);
}

static bool begins_with_elf(struct pidmem_source *source, const struct pidmem_region *region)
{
	char magic[SELFMAG];

	return pidmem_source_read(source, region->start, magic, sizeof magic, NULL, NULL) == sizeof magic &&
	       !memcmp(magic, ELFMAG, SELFMAG);
}

/* What is to be done with a region, selection aside. */
struct verdict {
	uint64_t size;  /* bytes, from its start on, that go into the file */
	bool untouched; /* private memory without a file that was never written to: it is known to be zero */
	bool device;
};

/* Nothing was saved of it in the pause, since the rules leave it out anyway: so nobody knows whether it was touched. */
static bool is_unknown(const struct pidmem_source *source, struct coredump_facts facts, unsigned filter)
{
	facts.written = true;
	return source_is_copy(source) && facts.vm_flags & (PIDMEM_VM_DONTCOPY | PIDMEM_VM_WIPEONFORK) &&
	       coredump_rule(&facts, filter) == COREDUMP_NOTHING;
}

static struct verdict judge(struct pidmem_source *source, const struct pidmem_region *region,
			    const struct pidmem_usage *usage, unsigned filter, bool all)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct coredump_facts facts;

	coredump_gather(source->process, region, usage, &facts);
	struct verdict verdict = {
		.device = !facts.kernel && facts.vm_flags & (PIDMEM_VM_IO | PIDMEM_VM_PFNMAP),
		.untouched = !facts.kernel && !facts.file && !facts.shared && !facts.written,
	};
	if (all) {
		verdict.size = verdict.device || verdict.untouched ? 0 : region->size;
		return verdict;
	}
	verdict.untouched = verdict.untouched && !is_unknown(source, facts, filter);
	switch (coredump_rule(&facts, filter)) {
	case COREDUMP_NOTHING:
		break;
	case COREDUMP_PAGE_IF_ELF:
		verdict.size = begins_with_elf(source, region) ? page : 0;
		break;
	case COREDUMP_PAGE:
		verdict.size = page;
		break;
	case COREDUMP_WHOLE:
		verdict.size = region->size;
		break;
	}
	return verdict;
}

static enum pidmem_why why_left_out(const struct verdict *verdict, bool selected)
{
	if (!selected)
		return PIDMEM_WHY_FILTER;
	return verdict->device ? PIDMEM_WHY_DEVICE : PIDMEM_WHY_DUMP_RULES;
}

/* As many segments as the selection makes of it: one, unless ranges were named. */
static int add_region(struct core_plan *plan, struct pidmem_source *source, const struct pidmem_region *region,
		      const struct verdict *verdict, struct pidmem_error *error)
{
	uint64_t run;
	int result = 0;

	for (uint64_t at = 0; at < region->size && result == 0; at += run) {
		bool selected = pidmem_select_test(source->select, region, region->start + at, &run);
		uint64_t rest = at < verdict->size && selected ? verdict->size - at : 0;
		struct core_part part = {
			.region = region,
			.start = region->start + at,
			.size = run,
			.file_size = rest < run ? rest : run,
			.known = selected && verdict->untouched && !verdict->device,
			.why = why_left_out(verdict, selected),
		};
		if (part.file_size == run && run > SPLIT_ABOVE)
			result = add_split(plan, source, &part, error);
		else
			result = add(plan, &part, error);
	}
	return result;
}

int core_plan_make(struct core_plan *plan, struct pidmem_source *source, unsigned filter, bool all,
		   struct pidmem_error *error)
{
	const struct pidmem_maps *maps = pidmem_source_maps(source);
	const struct pidmem_region *region;
	int result = 0;

	for (size_t i = 0; result >= 0 && (region = pidmem_maps_get(maps, i)); i++) {
		const struct pidmem_usage *usage = source_usage(source, region);
		struct verdict verdict = judge(source, region, usage, filter, all);
		uint64_t present = usage ? usage->rss + usage->swap : 0;

		plan->expected += present < verdict.size ? present : verdict.size;
		result = add_region(plan, source, region, &verdict, error);
	}
	return result < 0 ? result : 0;
}
