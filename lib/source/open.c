/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening a source on one process, as it is wanted. */
#include "base/error.h"
#include "base/options.h"
#include "source/source.h"

static int open_live(struct pidmem_process *process, const struct pidmem_source_options *options,
		     struct pidmem_error *error, struct pidmem_source **out)
{
	AUTO_SOURCE source = NULL;
	int result = source_open_live(process, options->select, error, &source);

	if (result < 0 || (result = pidmem_source_refresh(source, error)) < 0 ||
	    (source->select && (result = pidmem_select_check(source->select, source->maps, error)) < 0))
		return result;
	*out = take(source);
	return 0;
}

/* A freeze of one, which goes with the source. */
static int open_frozen(struct pidmem_process *process, const struct pidmem_source_options *options,
		       struct pidmem_error *error, struct pidmem_source **out)
{
	struct pidmem_freeze_options wanted = {
		.size = sizeof wanted,
		.consistency = options->consistency,
		.select = options->select,
	};
	struct pidmem_freeze *freeze;
	int result = pidmem_freeze_open(&process, 1, &wanted, error, &freeze);

	if (result < 0)
		return result;
	*out = pidmem_freeze_source(freeze, 0);
	(*out)->owned = freeze;
	return 0;
}

int pidmem_source_open(struct pidmem_process *process, const struct pidmem_source_options *given,
		       struct pidmem_error *error, struct pidmem_source **out)
{
	struct pidmem_source_options options;
	int result = options_take(&options, sizeof options, given, error);

	if (result < 0)
		return result;
	return options.consistency == PIDMEM_LIVE ? open_live(process, &options, error, out)
						  : open_frozen(process, &options, error, out);
}

void pidmem_source_close(struct pidmem_source *source)
{
	if (!source)
		return;
	if (source->owned)
		pidmem_freeze_close(source->owned);
	else if (!source->frozen) /* that of a freeze goes with it */
		source_free(source);
}
