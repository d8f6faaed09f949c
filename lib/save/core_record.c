/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "save/core_record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format/json.h"
#include "format/note.h"
#include "format/regions_table.h"

/* Room for the number of holes that are left out. */
#define SLACK 32

size_t core_record_size(void)
{
	return note_size(PIDMEM_NOTE_OWNER, RECORD_SIZE);
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* The end of the address space has a digit more than fits. */
static json_t *address(uint64_t start, uint64_t size)
{
	char text[24];

	snprintf(text, sizeof text, size && start + size == 0 ? "0x1%016" PRIx64 : "0x%" PRIx64, start + size);
	return json_string(text);
}

static json_t *text_or_null(const char *text)
{
	json_t *string = text ? json_string(text) : json_null();

	return string ? string : json_null(); /* not UTF-8 */
}

static json_t *account_json(const struct pidmem_totals *totals)
{
	AUTO_JSON account = json_object();
	int failed = json_object_set_new(account, "total", number(totals->total));

	for (int i = 0; i < PIDMEM_CLASSES; i++)
		failed |= json_object_set_new(account, pidmem_class_name((enum pidmem_class)i),
					      number(totals->by_class[i]));
	return failed ? NULL : take(account);
}

static json_t *hole_json(const struct pidmem_hole *hole)
{
	AUTO_JSON object = json_object();
	int failed = json_object_set_new(object, "start", address(hole->start, 0));

	failed |= json_object_set_new(object, "end", address(hole->start, hole->size));
	failed |= json_object_set_new(object, "class", json_string(pidmem_class_name(hole->class_)));
	failed |= json_object_set_new(object, "why", json_string(pidmem_why_name(hole->why)));
	return failed ? NULL : take(object);
}

static size_t length(const json_t *json)
{
	return json_dumpb(json, NULL, 0, JSON_COMPACT);
}

/* The unreadable ones tell of a loss: they come first, and then what never had content, as long as there is room. */
static int add_holes(json_t *record, const struct pidmem_account *account)
{
	size_t count = pidmem_account_hole_count(account), put = 0, used = length(record) + SLACK;
	json_t *holes = json_object_get(record, "holes");

	for (int class_ = PIDMEM_UNREADABLE; class_ >= PIDMEM_NO_CONTENT; class_--) {
		for (size_t i = 0; i < count && used < RECORD_SIZE; i++) {
			const struct pidmem_hole *hole = pidmem_account_hole(account, i);
			if (hole->class_ != (enum pidmem_class)class_)
				continue;
			AUTO_JSON object = hole_json(hole);
			used += object ? length(object) + 1 : RECORD_SIZE;
			if (used >= RECORD_SIZE)
				break;
			if (json_array_append(holes, object) < 0)
				return -1;
			put++;
		}
	}
	return put < count ? json_object_set_new(record, "holes_omitted", number(count - put)) : 0;
}

static json_t *shared_json(const struct pidmem_freeze_report *freeze)
{
	json_t *shared = json_object();

	if (json_object_set_new(shared, "paused", number(freeze->shared_paused)) < 0 ||
	    json_object_set_new(shared, "after", number(freeze->shared_after)) < 0) {
		json_decref(shared);
		return NULL;
	}
	return shared;
}

static json_t *to_json(const struct pidmem_freeze_report *freeze, const struct pidmem_account *account)
{
	AUTO_JSON record = json_object();
	bool frozen = freeze->stop_count > 0;
	int failed = json_object_set_new(record, "pidmem", json_integer(1));

	failed |= json_object_set_new(record, "command", json_string("core"));
	failed |= json_object_set_new(record, "consistency", json_string(pidmem_consistency_name(freeze->consistency)));
	failed |= json_object_set_new(record, "engine", text_or_null(pidmem_engine_name(freeze->engine)));
	failed |= json_object_set_new(record, "fallback", text_or_null(freeze->fallback));
	failed |= json_object_set_new(record, "pause_us", frozen ? number(freeze->pause_us) : json_null());
	failed |= json_object_set_new(record, "threads", number(freeze->threads));
	failed |= json_object_set_new(record, "unstopped", number(freeze->unstopped));
	failed |= json_object_set_new(record, "untracked", number(freeze->untracked));
	failed |= json_object_set_new(record, "shared", shared_json(freeze));
	failed |= json_object_set_new(record, "account", account_json(pidmem_account_totals(account)));
	failed |= json_object_set_new(record, "holes", json_array());
	failed |= failed ? 0 : json_object_set_new(record, "holes_omitted", json_integer(0));
	failed |= failed ? 0 : add_holes(record, account);
	return failed ? NULL : take(record);
}

int core_record_add(struct buffer *out, const struct pidmem_freeze_report *freeze, const struct pidmem_account *account,
		    size_t *omitted)
{
	AUTO_JSON record = to_json(freeze, account);
	AUTO_FREE char *text = malloc(RECORD_SIZE);

	if (!record || !text)
		return -ENOMEM;
	*omitted = (size_t)json_integer_value(json_object_get(record, "holes_omitted"));
	memset(text, ' ', RECORD_SIZE);
	if (json_dumpb(record, text, RECORD_SIZE, JSON_COMPACT) > RECORD_SIZE)
		return -ENOMEM;
	return note_add(out, PIDMEM_NOTE_OWNER, RECORD_TYPE, text, RECORD_SIZE);
}
