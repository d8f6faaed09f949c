/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "selection.h"
#include "failure.h"

bool region_selected(const struct pidmem_select *select, const struct pidmem_region *region)
{
	uint64_t done = 0, run;

	for (; select && done < region->size; done += run)
		if (pidmem_select_test(select, region, region->start + done, &run))
			return true;
	return !select;
}

int selection_check(const struct invocation *invocation, const struct pidmem_process *process,
		    const struct pidmem_maps *maps)
{
	const struct pidmem_region *region;
	int pid = (int)pidmem_process_pid(process);

	if (!invocation->select)
		return 0;
	for (size_t i = 0; (region = pidmem_maps_get(maps, i)); i++)
		if (region_selected(invocation->select, region))
			return 0;
	fail("no region of process %d (%s) fits the selection", pid, pidmem_process_name(process));
	hint("`pidmem maps %d` lists the regions; `pidmem help` tells what -R takes", pid);
	return EXIT_FAILED;
}
