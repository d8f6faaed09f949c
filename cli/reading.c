/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reading.h"
#include "failure.h"
#include "signals.h"
#include "ui/output.h"

#include <string.h>

int reading_open(const struct invocation *invocation, struct reading *reading)
{
	struct pidmem_freeze_options how = PIDMEM_INIT(how);
	struct pidmem_error error;
	int failed;

	failed = moment_open(invocation, 1, &reading->moment);
	if (!failed && invocation->consistency_given && invocation->consistency != PIDMEM_LIVE)
		signals_catch();
	if (!failed)
		failed = moment_hold(&reading->moment, PIDMEM_LIVE, &how);
	if (failed)
		return failed;
	signals_end_at_once(true);
	if (signals_came())
		return fail_interrupted();
	reading->target = moment_target(&reading->moment, 0);
	reading->source = moment_source(&reading->moment, 0);
	return pidmem_account_new(&error, &reading->account) < 0 ? fail_with(&error) : 0;
}

void reading_close(struct reading *reading)
{
	pidmem_account_free(reading->account);
	moment_close(&reading->moment);
}

int reading_keep_output(const struct reading *reading)
{
	int number = reading->moment.freeze ? output_hold_back() : 0;

	return number ? fail("cannot keep the output until the process runs on: %s", strerror(number)) : 0;
}
