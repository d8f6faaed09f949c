# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes ELF core files out of what a test wants in them, right or wrong: by elf(5) and core(5) alone."""

import struct

PT_LOAD, PT_NOTE, PT_PIDMEM, PN_XNUM, ET_CORE = 1, 4, 0x6F504D52, 0xFFFF, 4
EM_386, EM_X86_64 = 3, 62
NT_PRSTATUS, NT_PRPSINFO, NT_AUXV, NT_FILE = 1, 3, 6, 0x46494C45
PAGE = 4096


def note(owner, kind, data):
    name = owner.encode() + b"\0"
    return (struct.pack("<III", len(name), len(data), kind) + name.ljust(len(name) + 3 & ~3, b"\0") +
            data.ljust(len(data) + 3 & ~3, b"\0"))


def file_note(files, bits=64, unit=PAGE):
    """files: (start, end, offset in bytes, path)"""
    word = "Q" if bits == 64 else "I"
    data = struct.pack(f"<2{word}", len(files), unit)
    data += b"".join(struct.pack(f"<3{word}", start, end, offset // unit) for start, end, offset, _ in files)
    return note("CORE", NT_FILE, data + b"".join(path + b"\0" for *_, path in files))


def status_note(tid, signal=0):
    """NT_PRSTATUS of x86-64, with registers of zeros."""
    head = struct.pack("<3ih2x2Q4i", signal, 0, 0, signal, 0, 0, tid, 1, 1, 1)
    return note("CORE", NT_PRSTATUS, head.ljust(112 + 27 * 8 + 8, b"\0"))


def process_note(pid, name, arguments):
    head = struct.pack("<4BxxxxQ2I4i", 0, 82, 0, 0, 0, 0, 0, pid, 1, 1, 1)
    return note("CORE", NT_PRPSINFO, head + name.ljust(16, b"\0") + arguments.ljust(80, b"\0"))


def auxv_note(entries):
    return note("CORE", NT_AUXV, b"".join(struct.pack("<2Q", *entry) for entry in [*entries, (0, 0)]))


def program_header(kind, flags, offset, start, filesz, memsz, bits=64):
    if bits == 64:
        return struct.pack("<IIQQQQQQ", kind, flags, offset, start, 0, filesz, memsz, PAGE)
    return struct.pack("<IIIIIIII", kind, offset, start, 0, filesz, memsz, flags, PAGE)


def elf_header(count, bits=64, section=0, kind=ET_CORE, phoff=None, phentsize=None):
    extended = count >= PN_XNUM
    ident = b"\x7fELF" + bytes([bits // 32, 1, 1]) + bytes(9)
    size, entry = (64, 56) if bits == 64 else (52, 32)
    return struct.pack("<16sHHIQQQIHHHHHH" if bits == 64 else "<16sHHIIIIIHHHHHH", ident, kind,
                       EM_X86_64 if bits == 64 else EM_386, 1, 0, size if phoff is None else phoff,
                       section if extended else 0, 0, size, entry if phentsize is None else phentsize,
                       PN_XNUM if extended else count, (64 if bits == 64 else 40) if extended else 0, int(extended), 0)


def core(segments, notes=b"", bits=64, tables=None):
    """segments: (start, flags, content, size in memory); content is what is in the file. tables: pidmem's own."""
    count = len(segments) + 1 + (tables is not None)
    position = (64 if bits == 64 else 52) + count * (56 if bits == 64 else 32)
    headers = bytearray(program_header(PT_NOTE, 0, position, 0, len(notes), 0, bits))
    position += len(notes)
    body = bytearray(notes)
    if tables is not None:
        headers += program_header(PT_PIDMEM, 0, position, 0, len(tables), 0, bits)
        position += len(tables)
        body += tables
    for start, flags, content, size in segments:
        headers += program_header(PT_LOAD, flags, position, start, len(content), size, bits)
        body += content
        position += len(content)
    section = b""
    if count >= PN_XNUM:
        section = (struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 1, 0, count, 0, 0) if bits == 64 else
                   struct.pack("<10I", 0, 0, 0, 0, 0, 1, 0, count, 0, 0))
    return elf_header(count, bits, position) + bytes(headers + body) + section
