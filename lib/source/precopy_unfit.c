/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whom pre-copy is not for. What writes to memory past the page tables of the process, or goes on while the process
 * stands still, would leave a mixture of moments behind, without a trace: a copy by clone(2) is of one moment even
 * then.
 */
#include "process/maps.h"
#include "process/process.h"
#include "source/precopy.h"

/* Reading would bring it back into memory. */
static bool has_swap(const struct frozen *frozen)
{
	const struct pidmem_maps *maps = frozen->live->maps;

	for (size_t i = 0; i < maps->count; i++)
		if (maps->regions[i].kind != PIDMEM_KIND_SHARED && maps->regions[i].swapped)
			return true;
	return false;
}

/* How many of all, but itself, have the same address space, up to itself or to the end? */
static int count_sharers(const struct frozen *frozen, bool to_the_end)
{
	const struct pidmem_freeze *freeze = frozen->freeze;
	int count = 0;

	for (size_t i = 0; i < freeze->count && (to_the_end || freeze->items[i] != frozen); i++)
		if (freeze->items[i] != frozen)
			count += process_shares_memory(freeze->items[i]->process, frozen->process);
	return count;
}

const char *precopy_who_else_writes(const struct frozen *frozen)
{
	int sharers = process_count_sharers(frozen->process);

	if (sharers < 0)
		return "whether another process shares its memory cannot be found out";
	/* Those that are stopped with it do no harm. A child of vfork(2) is gone soon, and may be followed by others.
	 */
	if (sharers > 0 && sharers > count_sharers(frozen, true))
		return "another process shares its memory, and would go on";
	return process_pins_memory(frozen->process);
}

const char *precopy_unfit(const struct frozen *frozen)
{
	if (has_swap(frozen))
		return "part of it is in swap, and would be brought back";
	if (count_sharers(frozen, false)) /* two cannot track one address space */
		return "it shares its memory with another one of them";
	return precopy_who_else_writes(frozen);
}

bool precopy_would_hinder(const struct frozen *frozen)
{
	/* One that is in use already forbids a copy: `no_copy`. */
	return frozen->freeze->options.engine != PIDMEM_ENGINE_PRECOPY && !frozen->no_copy[0] &&
	       process_may_have_userfaultfd(frozen->process);
}
