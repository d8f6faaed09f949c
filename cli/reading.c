/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reading.h"
#include "failure.h"
#include "selection.h"
#include "target.h"

int reading_open(const struct invocation *invocation, struct reading *reading)
{
	struct pidmem_source_options how = PIDMEM_INIT(how);
	struct pidmem_error error;
	int failed;

	failed = target_open(invocation, invocation->operands[0], &reading->process);
	if (failed)
		return failed;
	how.select = invocation->select;
	if (pidmem_source_open(reading->process, &how, &error, &reading->source) < 0) {
		if (error.code == PIDMEM_NO_MATCH)
			return selection_fits_nothing(invocation, reading->process);
		return fail_process(invocation, pidmem_process_pid(reading->process), &error);
	}
	if (pidmem_account_new(&error, &reading->account) < 0)
		return fail_with(&error);
	return selection_check(invocation, reading->process, pidmem_source_maps(reading->source));
}

void reading_close(struct reading *reading)
{
	pidmem_account_free(reading->account);
	pidmem_source_close(reading->source);
	pidmem_process_close(reading->process);
}
