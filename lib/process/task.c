/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/task.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "process/process.h"

static int read_below(const struct pidmem_process *process, pid_t tid, const char *name, struct buffer *text)
{
	char path[64];

	if (tid)
		snprintf(path, sizeof path, "task/%d/%s", tid, name);
	return buffer_read_file(text, process->dir, tid ? path : name);
}

int process_read_task(const struct pidmem_process *process, pid_t tid, struct process_stat *stat,
		      struct process_status *status)
{
	AUTO_BUFFER stat_text = { 0 };
	AUTO_BUFFER status_text = { 0 };
	int result = read_below(process, tid, "stat", &stat_text);

	if (result == 0)
		result = read_below(process, tid, "status", &status_text);
	if (result == 0)
		result = stat_parse(stat_text.bytes, stat_text.size, stat);
	return result < 0 ? result : status_parse(status_text.bytes, status_text.size, status);
}

/* "NUMBER ARGUMENTS... SP PC", "-1 SP PC" or "running": proc_pid_syscall(5). */
bool task_place_parse(const char *text, uint64_t *pc, uint64_t *sp)
{
	uint64_t words[8];
	size_t count = 0;
	char *next;

	strtoll(text, &next, 10);
	for (text = next; count < 8; text = next) {
		words[count] = strtoull(text, &next, 16);
		if (next == text)
			break;
		count++;
	}
	if (count < 2)
		return false;
	*sp = words[count - 2];
	*pc = words[count - 1];
	return true;
}

bool process_task_place(const struct pidmem_process *process, pid_t tid, uint64_t *pc, uint64_t *sp)
{
	AUTO_BUFFER text = { 0 };

	return read_below(process, tid, "syscall", &text) == 0 && text.size && task_place_parse(text.bytes, pc, sp);
}

static uint64_t word_at(const char *bytes, size_t index, size_t word)
{
	uint64_t value = 0;
	uint32_t half;

	if (word == sizeof value) {
		memcpy(&value, bytes + index * word, sizeof value);
		return value;
	}
	memcpy(&half, bytes + index * word, sizeof half);
	return half;
}

/* Up to AT_NULL, if these are words of that size: each vector tells the size of a program header. */
static size_t vector_size(const char *bytes, size_t size, size_t word, uint64_t header)
{
	bool told = false;

	for (size_t i = 0; (i + 2) * word <= size; i += 2) {
		uint64_t type = word_at(bytes, i, word);
		told |= type == AT_PHENT && word_at(bytes, i + 1, word) == header;
		if (type == AT_NULL)
			return told ? (i + 2) * word : 0;
	}
	return 0;
}

size_t auxv_parse(const void *bytes, size_t size, bool *is_64)
{
	size_t wide = vector_size(bytes, size, 8, sizeof(Elf64_Phdr));
	size_t narrow = wide ? 0 : vector_size(bytes, size, 4, sizeof(Elf32_Phdr));

	if (wide || narrow)
		*is_64 = wide;
	return wide ? wide : narrow;
}

void process_read_auxv(const struct pidmem_process *process, struct buffer *auxv, bool *is_64)
{
	if (buffer_read_file(auxv, process->memory_dir, "auxv") < 0)
		auxv->size = 0;
	auxv->size = auxv_parse(auxv->bytes, auxv->size, is_64);
}
