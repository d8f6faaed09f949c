/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/elf_headers.h"

#include <elf.h>

uint64_t elf_headers_size(bool is_64, size_t segments)
{
	return is_64 ? sizeof(Elf64_Ehdr) + segments * sizeof(Elf64_Phdr)
		     : sizeof(Elf32_Ehdr) + segments * sizeof(Elf32_Phdr);
}

bool elf_count_is_extended(size_t segments)
{
	return segments >= PN_XNUM;
}

#if __BYTE_ORDER == __LITTLE_ENDIAN
#define BYTE_ORDER_OF_ELF ELFDATA2LSB
#else
#define BYTE_ORDER_OF_ELF ELFDATA2MSB
#endif

/* The two classes have the same members in their headers, of other sizes. */
#define DEFINE_ADDERS(bits)                                                                                          \
	static int add_header_##bits(struct buffer *out, uint16_t machine, size_t count, uint64_t section)           \
	{                                                                                                            \
		bool extended = elf_count_is_extended(count);                                                        \
		Elf##bits##_Ehdr header = {                                                                          \
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS##bits, BYTE_ORDER_OF_ELF,          \
				     EV_CURRENT },                                                                   \
			.e_type = ET_CORE,                                                                           \
			.e_machine = machine,                                                                        \
			.e_version = EV_CURRENT,                                                                     \
			.e_phoff = sizeof header,                                                                    \
			.e_ehsize = sizeof header,                                                                   \
			.e_phentsize = sizeof(Elf##bits##_Phdr),                                                     \
			.e_phnum = (uint16_t)(extended ? PN_XNUM : count),                                           \
		};                                                                                                   \
		if (extended) {                                                                                      \
			header.e_shoff = (Elf##bits##_Off)section;                                                   \
			header.e_shentsize = sizeof(Elf##bits##_Shdr);                                               \
			header.e_shnum = 1;                                                                          \
		}                                                                                                    \
		return buffer_append(out, &header, sizeof header);                                                   \
	}                                                                                                            \
	static int add_segment_##bits(struct buffer *out, const struct elf_segment *segment)                         \
	{                                                                                                            \
		Elf##bits##_Phdr header = {                                                                          \
			.p_type = segment->type,                                                                     \
			.p_flags = segment->flags,                                                                   \
			.p_offset = (Elf##bits##_Off)segment->offset,                                                \
			.p_vaddr = (Elf##bits##_Addr)segment->start,                                                 \
			.p_filesz = (Elf##bits##_Word_)segment->file_size,                                           \
			.p_memsz = (Elf##bits##_Word_)segment->size,                                                 \
			.p_align = (Elf##bits##_Word_)segment->align,                                                \
		};                                                                                                   \
		return buffer_append(out, &header, sizeof header);                                                   \
	}                                                                                                            \
	static int add_count_##bits(struct buffer *out, size_t count)                                                \
	{                                                                                                            \
		Elf##bits##_Shdr header = { .sh_type = SHT_NULL, .sh_size = 1, .sh_info = (Elf##bits##_Word)count }; \
		return buffer_append(out, &header, sizeof header);                                                   \
	}
typedef Elf32_Word Elf32_Word_;
typedef Elf64_Xword Elf64_Word_;
DEFINE_ADDERS(32)
DEFINE_ADDERS(64)

int elf_headers_add(struct buffer *out, bool is_64, uint16_t machine, const struct elf_segment *segments, size_t count,
		    uint64_t section)
{
	int result = is_64 ? add_header_64(out, machine, count, section) : add_header_32(out, machine, count, section);

	for (size_t i = 0; i < count && result == 0; i++)
		result = is_64 ? add_segment_64(out, &segments[i]) : add_segment_32(out, &segments[i]);
	return result;
}

int elf_extended_count_add(struct buffer *out, bool is_64, size_t count)
{
	return is_64 ? add_count_64(out, count) : add_count_32(out, count);
}
