/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/build_id.h"

#include <elf.h>
#include <string.h>

/* No linker makes more program headers, or larger notes. */
#define MOST_HEADERS 128
#define LARGEST_NOTES 8192
#define PAGE 4096ULL

struct span_of_file {
	uint32_t type, flags;
	uint64_t address, size, align, offset, file_size;
};

static bool get_header(const struct byte_reader *reader, bool is_64, uint64_t table, size_t index,
		       struct span_of_file *out)
{
	Elf64_Phdr large;
	Elf32_Phdr small;

	if (is_64) {
		if (!reader_get(reader, table + index * sizeof large, &large, sizeof large))
			return false;
		*out = (struct span_of_file){ large.p_type,  large.p_flags,  large.p_vaddr, large.p_memsz,
					      large.p_align, large.p_offset, large.p_filesz };
		return true;
	}
	if (!reader_get(reader, table + index * sizeof small, &small, sizeof small))
		return false;
	*out = (struct span_of_file){ small.p_type,  small.p_flags,  small.p_vaddr, small.p_memsz,
				      small.p_align, small.p_offset, small.p_filesz };
	return true;
}

/* Where the table is, and how many headers it has; 0 if it is no program and no library. */
static size_t find_table(const struct byte_reader *reader, bool *is_64, uint64_t *table)
{
	Elf64_Ehdr large = { 0 };
	Elf32_Ehdr small;

	if (!reader_get(reader, 0, &small, sizeof small) || memcmp(small.e_ident, ELFMAG, SELFMAG) != 0)
		return 0;
	*is_64 = small.e_ident[EI_CLASS] == ELFCLASS64;
	if (*is_64 && !reader_get(reader, 0, &large, sizeof large))
		return 0;
	*table = *is_64 ? large.e_phoff : small.e_phoff;
	size_t count = *is_64 ? large.e_phnum : small.e_phnum;
	size_t entry = *is_64 ? large.e_phentsize : small.e_phentsize;
	bool fits = entry == (*is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));
	return fits && count <= MOST_HEADERS ? count : 0;
}

static size_t padded(size_t size, uint64_t align)
{
	return align == 8 ? (size + 7) & ~(size_t)7 : (size + 3) & ~(size_t)3;
}

/* Among the notes of one segment. */
static size_t search(const unsigned char *notes, size_t size, uint64_t align, unsigned char id[BUILD_ID_LARGEST])
{
	Elf32_Nhdr head;

	for (size_t at = 0; size - at >= sizeof head;) {
		memcpy(&head, notes + at, sizeof head);
		size_t left = size - at - sizeof head;
		if (head.n_namesz > left || head.n_descsz > left)
			return 0;
		size_t name = padded(head.n_namesz, 4), bytes = padded(sizeof head + name, align);
		if (bytes > size - at || head.n_descsz > size - at - bytes)
			return 0;
		if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 &&
		    !memcmp(notes + at + sizeof head, "GNU", 4) && head.n_descsz <= BUILD_ID_LARGEST) {
			memcpy(id, notes + at + bytes, head.n_descsz);
			return head.n_descsz;
		}
		size_t whole = padded(bytes + head.n_descsz, align);
		if (whole > size - at)
			return 0;
		at += whole;
	}
	return 0;
}

/* The address of the ELF header, as the file has it; UINT64_MAX if nothing of it is loaded. */
static uint64_t find_base(const struct byte_reader *reader, bool is_64, uint64_t table, size_t count)
{
	struct span_of_file header;
	uint64_t base = UINT64_MAX;

	for (size_t i = 0; i < count && get_header(reader, is_64, table, i, &header); i++)
		if (header.type == PT_LOAD && header.address < base)
			base = header.address & ~(PAGE - 1);
	return base;
}

size_t build_id_find(const struct byte_reader *reader, unsigned char id[BUILD_ID_LARGEST])
{
	unsigned char notes[LARGEST_NOTES];
	struct span_of_file header;
	uint64_t table = 0;
	bool is_64 = false;
	size_t count = find_table(reader, &is_64, &table), found = 0;
	uint64_t base = find_base(reader, is_64, table, count);

	for (size_t i = 0; i < count && !found && get_header(reader, is_64, table, i, &header); i++)
		if (header.type == PT_NOTE && header.address >= base && header.size <= sizeof notes &&
		    reader_get(reader, header.address - base, notes, header.size))
			found = search(notes, header.size, header.align, id);
	return found;
}

bool module_is_constant(const struct byte_reader *reader, uint64_t into, uint64_t size, uint64_t offset)
{
	struct span_of_file header;
	uint64_t table = 0;
	bool is_64 = false, constant = false;
	size_t count = find_table(reader, &is_64, &table);
	uint64_t base = find_base(reader, is_64, table, count);

	for (size_t i = 0; i < count; i++) {
		if (!get_header(reader, is_64, table, i, &header))
			return false;
		uint64_t begin = header.address - base, first = begin & ~(PAGE - 1);
		if (header.type != PT_LOAD || header.address < base || header.size > INT64_MAX ||
		    header.file_size > header.size || begin > INT64_MAX)
			continue;
		uint64_t end = (begin + header.size + PAGE - 1) & ~(PAGE - 1);
		uint64_t in_file = (begin + header.file_size + PAGE - 1) & ~(PAGE - 1);
		if (into >= end || into + size <= first)
			continue;
		if (header.flags & PF_W)
			return false;
		constant |= into >= first && into + size <= in_file && offset - into == header.offset - begin;
	}
	return constant;
}
