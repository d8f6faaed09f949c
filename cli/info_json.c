/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "info.h"
#include "ui/account.h"
#include "ui/json.h"

#include <string.h>

static void put_threads(const struct info *info)
{
	const struct pidmem_thread *thread;

	json_array("thread_list");
	for (size_t i = 0; (thread = pidmem_threads_get(info->threads, i)); i++) {
		char state[2] = { thread->state, '\0' };

		json_object(NULL);
		json_number("tid", (uint64_t)thread->tid);
		json_text_or_null("name", thread->name[0] ? thread->name : NULL);
		json_text_or_null("state", thread->state ? state : NULL);
		json_object_end();
	}
	json_array_end();
}

static void put_kinds(const struct info *info)
{
	json_array("kinds");
	for (int i = 0; i <= KINDS; i++) {
		const struct kind_sum *kind = &info->kinds.of[i];

		if (!kind->count)
			continue;
		json_object(NULL);
		json_text("kind", i < KINDS ? pidmem_kind_name((enum pidmem_kind)i) : "all");
		json_number("count", kind->count);
		json_number("size", kind->size);
		json_number_or_null("rss", kind->resident, info->kinds.resident);
		json_number_or_null("swap", kind->swapped, info->kinds.resident);
		json_number_or_null("saved", kind->saved, info->kinds.saved);
		json_object_end();
	}
	json_array_end();
}

static void put_modules(const struct info *info)
{
	struct info_module module;
	size_t index = 0;

	json_array("modules");
	while (info_module_next(info, &index, &module)) {
		json_object(NULL);
		json_address("start", module.region->start);
		json_bytes("path", module.region->path, module.region->path_size);
		json_text_or_null("build_id", module.build_id[0] ? module.build_id : NULL);
		json_object_end();
	}
	json_array_end();
}

static int put_note(void *user, const struct pidmem_file_note *note)
{
	(void)user;
	json_object(NULL);
	json_bytes("owner", note->owner, strlen(note->owner));
	json_number("type", note->type);
	json_text_or_null("name", info_note_name(note));
	json_number("offset", note->offset);
	json_number("size", note->size);
	json_object_end();
	return 0;
}

static void put_file(const struct info *info)
{
	const struct pidmem_file *file = &info->file;

	json_object("file");
	json_text_or_null("writer", file->writer);
	json_text_or_null("compression", file->compression);
	json_number_or_null("bits", file->bits, file->bits);
	json_text_or_null("machine", file->machine_name);
	json_number_or_null("signal", (uint64_t)file->signal, file->threads);
	json_number("segments", file->segments);
	json_object("size");
	json_number("apparent", file->apparent);
	json_number("on_disk", file->size_on_disk);
	json_number("expected", file->expected);
	json_object_end();
	json_bool("truncated", file->truncated);
	json_bool("complete", file->complete);
	json_object_end();
	json_array("notes");
	pidmem_file_notes(info->source, put_note, NULL, NULL);
	json_array_end();
	json_array("remarks");
	for (size_t i = 0; i < file->remarks; i++)
		json_text(NULL, pidmem_file_remark(info->source, i));
	json_array_end();
	account_json(info->account);
}

void info_json(const struct invocation *invocation, struct info *info)
{
	const char *const kinds[] = { [PIDMEM_FILE_CORE] = "core", [PIDMEM_FILE_DUMP] = "dump" };

	target_json(invocation, &info->target);
	json_text("kind", info->target.file ? kinds[info->file.kind] : "process");
	json_text_or_null("command_line", info->command);
	moment_json(&info->moment, 0);
	put_threads(info);
	put_kinds(info);
	put_modules(info);
	if (info->target.file)
		put_file(info);
	json_finish();
}
