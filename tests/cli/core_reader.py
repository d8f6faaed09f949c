# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads an ELF core file, by elf(5) and core(5) alone: segments, memory, notes, threads. 32 and 64 bits, little-endian."""

import os
import struct
from dataclasses import dataclass

from saved_file import SavedFile

PT_LOAD, PT_NOTE, PN_XNUM, ET_CORE = 1, 4, 0xFFFF, 4
EM_386, EM_X86_64, EM_AARCH64 = 3, 62, 183
NT_PRSTATUS, NT_PRFPREG, NT_PRPSINFO, NT_AUXV = 1, 2, 3, 6
NT_X86_XSTATE, NT_SIGINFO, NT_FILE = 0x202, 0x53494749, 0x46494C45

# The registers in elf_gregset_t, in the order of <sys/user.h>.
REGISTERS = {
    EM_X86_64: ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base "
                "gs_base ds es fs gs").split(),
    EM_386: "ebx ecx edx esi edi ebp eax ds es fs gs orig_eax eip cs eflags esp ss".split(),
    EM_AARCH64: [*(f"x{i}" for i in range(31)), "sp", "pc", "pstate"],
}


@dataclass
class Segment:
    start: int
    memsz: int
    filesz: int
    offset: int
    flags: int
    align: int

    @property
    def end(self):
        return self.start + self.memsz

    @property
    def perms(self):
        return "".join(letter if self.flags & bit else "-" for letter, bit in zip("rwx", (4, 2, 1)))


@dataclass
class Note:
    owner: str
    type: int
    data: bytes


@dataclass
class Thread:
    """One NT_PRSTATUS, and the notes that follow it up to the next one."""
    pid: int
    signal: int
    pending: int
    held: int
    ppid: int
    registers: dict
    notes: list

    def note(self, kind):
        return next((note.data for note in self.notes if note.type == kind), None)

    @property
    def pc(self):
        return next(self.registers[name] for name in ("rip", "eip", "pc") if name in self.registers)


class Core(SavedFile):
    def __init__(self, path):
        self.open(path)
        self.size = os.fstat(self.fd).st_size
        ident = os.pread(self.fd, 16, 0)
        assert ident[:4] == b"\x7fELF" and ident[5] == 1, "no little-endian ELF file"
        self.bits = {1: 32, 2: 64}[ident[4]]
        header = struct.Struct("<16sHHIQQQIHHHHHH" if self.bits == 64 else "<16sHHIIIIIHHHHHH")
        (_, self.type, self.machine, _, _, phoff, shoff, _, _, phentsize, phnum, _, _, _) = \
            header.unpack(os.pread(self.fd, header.size, 0))
        self.extended = phnum == PN_XNUM
        if self.extended:  # elf(5): the number is sh_info of the first section header
            self.phnum, = struct.unpack("<I", os.pread(self.fd, 4, shoff + (44 if self.bits == 64 else 28)))
        else:
            self.phnum = phnum
        self.phentsize = phentsize
        self.read_program_headers(os.pread(self.fd, phentsize * self.phnum, phoff))
        self.tell(self.segments)

    def read_program_headers(self, table):
        entry = struct.Struct("<IIQQQQQQ" if self.bits == 64 else "<IIIIIIII")
        self.segments, self.notes = [], []
        for values in entry.iter_unpack(table):
            if self.bits == 64:
                kind, flags, offset, start, _, filesz, memsz, align = values
            else:
                kind, offset, start, _, filesz, memsz, flags, align = values
            if kind == PT_LOAD:
                self.segments.append(Segment(start, memsz, filesz, offset, flags, align))
            elif kind == PT_NOTE:
                self.notes += self.read_notes(os.pread(self.fd, filesz, offset))

    @staticmethod
    def read_notes(data):
        notes, at = [], 0
        while at + 12 <= len(data):
            namesz, descsz, kind = struct.unpack_from("<III", data, at)
            name = data[at + 12:at + 12 + namesz]
            at += 12 + (namesz + 3 & ~3)
            notes.append(Note(name.rstrip(b"\0").decode(), kind, data[at:at + descsz]))
            at += descsz + 3 & ~3
        return notes

    def note(self, kind, owner=None):
        """The bytes of the first note of that type, or None."""
        return next((note.data for note in self.notes if note.type == kind and owner in (None, note.owner)), None)

    # Memory.

    @staticmethod
    def place(segment, address):
        """Where the byte at an address is in the file, and how many follow in the segment."""
        inside = address - segment.start
        return segment.offset + inside, segment.filesz - inside

    def word(self, address):
        return int.from_bytes(self.read(address, self.bits // 8), "little")

    # Threads and files.

    @property
    def threads(self):
        """In the order of the notes."""
        threads = []
        for note in self.notes:
            if note.type == NT_PRSTATUS and note.owner == "CORE":
                threads.append(self.thread(note.data))
            if threads and note.type not in (NT_PRPSINFO, NT_AUXV, NT_FILE):
                threads[-1].notes.append(note)
        return threads

    def thread(self, status):
        """struct elf_prstatus of <linux/elfcore.h>."""
        word = "Q" if self.bits == 64 else "I"
        head = struct.Struct(f"<3ih{'2x'}{word}{word}4i")
        _, _, _, signal, pending, held, pid, ppid, _, _ = head.unpack_from(status)
        at = head.size + 4 * 2 * self.bits // 8  # four struct timeval
        names = REGISTERS.get(self.machine, [])
        values = struct.unpack_from(f"<{len(names)}{word}", status, at)
        return Thread(pid, signal, pending, held, ppid, dict(zip(names, values)), [])

    @property
    def auxv(self):
        word = "Q" if self.bits == 64 else "I"
        return dict(struct.iter_unpack(f"<{word}{word}", self.note(NT_AUXV) or b""))

    @property
    def files(self):
        """NT_FILE: a list of (start, end, offset in bytes, path)."""
        data = self.note(NT_FILE)
        if not data:
            return []
        word = "Q" if self.bits == 64 else "I"
        count, page = struct.unpack_from(f"<{word}{word}", data)
        step = 3 * self.bits // 8
        begin = 2 * self.bits // 8
        names = data[begin + count * step:].split(b"\0")
        ranges = struct.iter_unpack(f"<3{word}", data[begin:begin + count * step])
        return [(start, end, offset * page, names[i]) for i, (start, end, offset) in enumerate(ranges)]

    def check(self):
        """What is wrong with the file as such: a list, empty if nothing is."""
        wrong = [] if self.type == ET_CORE else [f"type {self.type}"]
        position = 0
        for segment in self.segments:
            name = f"{segment.start:#x}-{segment.end:#x}"
            if segment.start < position:
                wrong.append(f"{name}: out of order")
            position = segment.end
            if segment.filesz > segment.memsz:
                wrong.append(f"{name}: more in the file than in memory")
            if segment.filesz and segment.offset + segment.filesz > self.size:
                wrong.append(f"{name}: ends behind the end of the file")
            if segment.align and (segment.offset - segment.start) % segment.align and segment.filesz:
                wrong.append(f"{name}: offset {segment.offset:#x} and alignment {segment.align:#x} do not fit")
        numbers = [thread.pid for thread in self.threads]
        if len(set(numbers)) != len(numbers):
            wrong.append("a thread is there twice")
        return wrong
