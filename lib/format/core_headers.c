/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/core_headers.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "format/origins.h"

/* No process has as many regions: vm.max_map_count is 65,530 where nobody has raised it. */
#define MOST_SEGMENTS (1U << 20)
/* More than any user address space has: x86-64 with five levels of page tables ends at 2^56. */
#define LARGEST (1ULL << 57)
#define PIECE 1024

#if __BYTE_ORDER == __LITTLE_ENDIAN
#define OWN_BYTE_ORDER ELFDATA2LSB
#else
#define OWN_BYTE_ORDER ELFDATA2MSB
#endif

/* What is used of the ELF header, of both classes. */
struct elf_head {
	uint16_t type, machine, entry_size, count, sections;
	uint64_t entries, section_table;
};

void core_headers_done(struct core_headers *headers)
{
	free(headers->loads);
	free(headers->notes);
	*headers = (struct core_headers){ 0 };
}

static int no_core(struct pidmem_error *error, const char *what)
{
	return fail(error, PIDMEM_FORMAT, ENOEXEC, "%s", what);
}

static int broken(struct pidmem_error *error, uint64_t address, const char *what)
{
	return with_address(error, fail(error, PIDMEM_FORMAT, EBADMSG, "its headers cannot be true: %s", what),
			    address);
}

#define DEFINE_READERS(bits)                                                                                          \
	static bool read_head_##bits(const struct byte_reader *reader, struct elf_head *head)                         \
	{                                                                                                             \
		Elf##bits##_Ehdr raw;                                                                                 \
		if (!reader_get(reader, 0, &raw, sizeof raw))                                                         \
			return false;                                                                                 \
		*head = (struct elf_head){ raw.e_type,  raw.e_machine, raw.e_phentsize, raw.e_phnum,                  \
					   raw.e_shnum, raw.e_phoff,   raw.e_shoff };                                 \
		return true;                                                                                          \
	}                                                                                                             \
	static bool read_count_##bits(const struct byte_reader *reader, const struct elf_head *head, uint64_t *count) \
	{                                                                                                             \
		Elf##bits##_Shdr raw;                                                                                 \
		if (!reader_get(reader, head->section_table, &raw, sizeof raw))                                       \
			return false;                                                                                 \
		*count = raw.sh_info;                                                                                 \
		return true;                                                                                          \
	}                                                                                                             \
	static struct elf_segment segment_##bits(const unsigned char *bytes)                                          \
	{                                                                                                             \
		Elf##bits##_Phdr raw;                                                                                 \
		memcpy(&raw, bytes, sizeof raw);                                                                      \
		return (struct elf_segment){ raw.p_type,  raw.p_flags, raw.p_offset, raw.p_filesz,                    \
					     raw.p_vaddr, raw.p_memsz, raw.p_align };                                 \
	}
DEFINE_READERS(32)
DEFINE_READERS(64)

static int read_head(struct core_headers *headers, const struct byte_reader *reader, struct elf_head *head,
		     struct pidmem_error *error)
{
	unsigned char ident[EI_NIDENT];

	if (!reader_get(reader, 0, ident, sizeof ident) || memcmp(ident, ELFMAG, SELFMAG) != 0)
		return no_core(error, "it is no ELF file");
	headers->is_64 = ident[EI_CLASS] == ELFCLASS64;
	if ((!headers->is_64 && ident[EI_CLASS] != ELFCLASS32) ||
	    (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB))
		return no_core(error, "it is an ELF file of an unknown class");
	if (ident[EI_DATA] != OWN_BYTE_ORDER)
		return fail(error, PIDMEM_UNSUPPORTED, EOPNOTSUPP,
			    "it comes from a machine with another order of bytes, which this version cannot read");
	if (!(headers->is_64 ? read_head_64(reader, head) : read_head_32(reader, head)))
		return no_core(error, "it ends within its ELF header");
	if (head->type != ET_CORE)
		return no_core(error, head->type == ET_EXEC || head->type == ET_DYN
					      ? "it is a program or a library, not a core file"
					      : "it is an ELF file, but not a core file");
	headers->machine = head->machine;
	return 0;
}

static struct elf_segment segment_of(const struct core_headers *headers, const unsigned char *bytes)
{
	return headers->is_64 ? segment_64(bytes) : segment_32(bytes);
}

static size_t entry_size(const struct core_headers *headers)
{
	return headers->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
}

/*
 * The number stands behind the content (PN_XNUM), and that end of the file is missing: the kernel and pidmem put the
 * notes, which the first header tells of, right behind the headers.
 */
static uint64_t guess_count(const struct core_headers *headers, const struct byte_reader *reader,
			    const struct elf_head *head)
{
	unsigned char bytes[sizeof(Elf64_Phdr)];

	if (!reader_get(reader, head->entries, bytes, entry_size(headers)))
		return 0;
	struct elf_segment first = segment_of(headers, bytes);
	return first.offset > head->entries ? (first.offset - head->entries) / head->entry_size : 0;
}

/* How many program headers are there? */
static int count_segments(struct core_headers *headers, const struct byte_reader *reader, const struct elf_head *head,
			  uint64_t *count, struct pidmem_error *error)
{
	bool extended = head->count == PN_XNUM;
	uint64_t room;

	headers->sections = head->sections > extended;
	*count = head->count;
	if (*count && head->entry_size < entry_size(headers))
		return broken(error, 0, "program headers of another size");
	if (extended && !(headers->is_64 ? read_count_64(reader, head, count) : read_count_32(reader, head, count)))
		*count = guess_count(headers, reader, head);
	if (*count > MOST_SEGMENTS)
		return broken(error, 0, "more than a million segments");
	room = head->entries < reader->size && *count ? (reader->size - head->entries) / head->entry_size : 0;
	if (room < *count) {
		headers->missing = *count - room;
		*count = room;
	}
	return 0;
}

static int check_load(const struct core_headers *headers, const struct elf_segment *load, struct pidmem_error *error)
{
	uint64_t limit = headers->is_64 ? LARGEST : 1ULL << 32;

	if (load->size > limit)
		return broken(error, load->start, "a segment is larger than any address space");
	if (load->start + (load->size - 1) < load->start ||
	    (!headers->is_64 && load->start + (load->size - 1) > UINT32_MAX))
		return broken(error, load->start, "a segment runs past the end of the address space");
	if (load->file_size > load->size)
		return broken(error, load->start, "a segment has more bytes in the file than in memory");
	if (load->file_size && load->offset > (uint64_t)INT64_MAX - load->file_size)
		return broken(error, load->start, "a segment lies past the end of any file");
	return 0;
}

/* There is room for it: grow(). */
static int add_segment(struct core_headers *headers, const struct elf_segment *segment, struct pidmem_error *error)
{
	uint64_t end = segment->offset + segment->file_size;
	int result = 0;

	if (segment->type == PT_NOTE && end >= segment->offset)
		headers->notes[headers->note_count++] = *segment;
	else if (segment->type == PIDMEM_SEGMENT && end >= segment->offset)
		headers->tables = *segment;
	else if (segment->type == ORIGINS_SEGMENT && end >= segment->offset)
		headers->origins = *segment;
	else if (segment->type == PT_LOAD && segment->size && (result = check_load(headers, segment, error)) == 0)
		headers->loads[headers->load_count++] = *segment;
	else
		return result;
	if (segment->file_size && end > headers->end)
		headers->end = end;
	return 0;
}

static int grow(struct core_headers *headers, size_t more)
{
	struct elf_segment *loads = reallocarray(headers->loads, headers->load_count + more, sizeof *loads);

	if (!loads)
		return -ENOMEM;
	headers->loads = loads;
	struct elf_segment *notes = reallocarray(headers->notes, headers->note_count + more, sizeof *notes);
	if (!notes)
		return -ENOMEM;
	headers->notes = notes;
	return 0;
}

static int read_segments(struct core_headers *headers, const struct byte_reader *reader, const struct elf_head *head,
			 uint64_t count, struct pidmem_error *error)
{
	size_t size = head->entry_size;
	AUTO_FREE unsigned char *piece = malloc(PIECE * (size + 1));
	int result = 0;

	if (!piece)
		return fail_memory(error);
	for (uint64_t done = 0; done < count;) {
		size_t some = count - done < PIECE ? (size_t)(count - done) : PIECE;
		if (grow(headers, some) < 0)
			return fail_memory(error);
		if (!reader_get(reader, head->entries + done * size, piece, some * size))
			return fail_sys(error, EIO, "cannot read its headers");
		for (size_t i = 0; i < some && result == 0; i++) {
			struct elf_segment segment = segment_of(headers, piece + i * size);
			result = add_segment(headers, &segment, error);
		}
		if (result < 0)
			return result;
		done += some;
	}
	return 0;
}

static int by_address(const void *one, const void *other)
{
	const struct elf_segment *a = one, *b = other;

	return (a->start > b->start) - (a->start < b->start);
}

/* Ours, the kernel's and gdb's are in order; nothing asks others to be. */
static int sort_loads(struct core_headers *headers, struct pidmem_error *error)
{
	struct elf_segment *loads = headers->loads;
	bool sorted = true;

	for (size_t i = 1; i < headers->load_count; i++)
		sorted &= loads[i].start > loads[i - 1].start;
	if (!sorted)
		qsort(loads, headers->load_count, sizeof *loads, by_address);
	for (size_t i = 1; i < headers->load_count; i++)
		if (loads[i - 1].start + (loads[i - 1].size - 1) >= loads[i].start)
			return broken(error, loads[i].start, "its segments overlap");
	return 0;
}

int core_headers_read(struct core_headers *out, const struct byte_reader *reader, struct pidmem_error *error)
{
	AUTO_CORE_HEADERS headers = { 0 };
	struct elf_head head = { 0 };
	uint64_t count;
	int result = read_head(&headers, reader, &head, error);

	if (result < 0 || (result = count_segments(&headers, reader, &head, &count, error)) < 0 ||
	    (result = read_segments(&headers, reader, &head, count, error)) < 0 ||
	    (result = sort_loads(&headers, error)) < 0)
		return result;
	*out = headers;
	headers = (struct core_headers){ 0 };
	return 0;
}
