/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/status_notes.h"

#include <elf.h>
#include <string.h>

#include "format/note.h"

/* Where a program counter and a stack pointer stand among the registers: of a thread of which nothing else is known. */
static const struct {
	uint16_t machine, pc, sp;
	uint8_t word;
} places[] = {
	{ EM_X86_64, 16 * 8, 19 * 8, 8 },
	{ EM_386, 12 * 4, 15 * 4, 4 },
	{ EM_AARCH64, 32 * 8, 31 * 8, 8 },
};

static void put_place(unsigned char *registers, uint16_t machine, const struct core_thread *thread)
{
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		if (places[i].machine != machine || places[i].pc + places[i].word > thread->registers_size)
			continue;
		field_put(registers + places[i].pc, (struct field){ 0, places[i].word }, thread->pc);
		field_put(registers + places[i].sp, (struct field){ 0, places[i].word }, thread->sp);
	}
}

static void put_times(unsigned char *status, struct field times, const uint64_t microseconds[4])
{
	unsigned char *at = status + times.at;
	struct field word = { 0, times.size };

	for (int i = 0; i < 4; i++, at += 2UL * times.size) {
		field_put(at, word, microseconds[i] / 1000000);
		field_put(at + times.size, word, microseconds[i] % 1000000);
	}
}

int prstatus_add(struct buffer *out, const struct core_layout *layout, uint16_t machine,
		 const struct core_thread *thread)
{
	const struct prstatus_layout *at = &layout->prstatus;
	size_t valid = at->registers + thread->registers_size;
	size_t size = (valid + 4 + layout->word - 1) / layout->word * layout->word;
	AUTO_FREE unsigned char *status = calloc(1, size);

	if (!status)
		return -ENOMEM;
	field_put(status, at->signal, (uint64_t)thread->signal);
	field_put(status, at->current_signal, (uint64_t)thread->signal);
	field_put(status, at->pending, thread->pending);
	field_put(status, at->blocked, thread->blocked);
	field_put(status, at->pid, (uint64_t)thread->ids.pid);
	field_put(status, at->ppid, (uint64_t)thread->ids.ppid);
	field_put(status, at->pgrp, (uint64_t)thread->ids.pgrp);
	field_put(status, at->sid, (uint64_t)thread->ids.sid);
	put_times(status, at->times, thread->microseconds);
	if (thread->registers)
		memcpy(status + at->registers, thread->registers, thread->registers_size);
	else
		put_place(status + at->registers, machine, thread);
	field_put(status + valid, (struct field){ 0, 4 }, thread->floating_point);
	return note_add(out, "CORE", NT_PRSTATUS, status, size);
}

/* The number of the kernel's state, and its letter for that: fill_psinfo(). One that is traced is stopped as well. */
static int state_number(char state, char *letter)
{
	static const char letters[] = "RSDTZW";
	const char *found = state ? strchr(letters, state == 't' ? 'T' : state) : NULL;

	*letter = found ? *found : '.';
	return found ? (int)(found - letters) : 6;
}

/* high2lowuid(): what 16 bits do not hold. */
static uint32_t short_id(uint32_t id, struct field field)
{
	return field.size == 2 && id > UINT16_MAX ? 65534 : id;
}

/* Blanks for the NULs between them. */
static void put_arguments(char *out, const struct core_process *process)
{
	size_t size = process->arguments_size < PRPSINFO_ARGUMENTS ? process->arguments_size : PRPSINFO_ARGUMENTS - 1;

	for (size_t i = 0; i < size; i++)
		out[i] = process->arguments[i] ? process->arguments[i] : ' ';
}

int prpsinfo_add(struct buffer *out, const struct core_layout *layout, const struct core_process *process)
{
	const struct prpsinfo_layout *at = &layout->prpsinfo;
	char info[UINT8_MAX] = { 0 }, letter;
	int state = state_number(process->state, &letter);

	field_put(info, at->state, (uint64_t)state);
	field_put(info, at->letter, (uint64_t)letter);
	field_put(info, at->zombie, letter == 'Z');
	field_put(info, at->nice, (uint64_t)process->nice);
	field_put(info, at->flags, process->flags);
	field_put(info, at->uid, short_id(process->uid, at->uid));
	field_put(info, at->gid, short_id(process->gid, at->gid));
	field_put(info, at->pid, (uint64_t)process->ids.pid);
	field_put(info, at->ppid, (uint64_t)process->ids.ppid);
	field_put(info, at->pgrp, (uint64_t)process->ids.pgrp);
	field_put(info, at->sid, (uint64_t)process->ids.sid);
	memcpy(info + at->name, process->name, strnlen(process->name, PRPSINFO_NAME - 1));
	put_arguments(info + at->arguments, process);
	return note_add(out, "CORE", NT_PRPSINFO, info, at->size);
}

int siginfo_add(struct buffer *out, const struct core_layout *layout, int signal, const unsigned char *told)
{
	unsigned char info[SIGINFO_SIZE] = { 0 };
	int numbers[3]; /* si_signo, si_errno, si_code: the same in both classes, unlike what follows */

	memcpy(numbers, told, sizeof numbers);
	if (numbers[0] == signal)
		memcpy(info, told, layout->word == sizeof(long) ? sizeof info : sizeof numbers);
	memcpy(info, &signal, sizeof signal);
	return note_add(out, "CORE", NT_SIGINFO, info, sizeof info);
}
