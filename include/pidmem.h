/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pidmem - read the memory of Linux processes
 *
 * The library answers "what is in the memory of process N?" without writing a byte into the target, without
 * making it grow, and without ever passing over a byte in silence. It never prints and never exits.
 *
 * In thirty seconds
 * -----------------
 *   struct pidmem_error error;
 *   struct pidmem_process *process;
 *   struct pidmem_source *source;
 *
 *   if (pidmem_process_open(pid, NULL, &error, &process) < 0 ||
 *       pidmem_source_open(process, NULL, &error, &source) < 0)
 *           errx(2, "%s", error.text);
 *   ssize_t got = pidmem_source_read(source, address, buffer, size, &error, NULL);
 *   ...
 *   pidmem_source_close(source);
 *   pidmem_process_close(process);
 *
 * Words
 * -----
 *   process   a handle on one live process; a reused PID is never mistaken for it
 *   region    one mapping (VMA) as in /proc/PID/maps
 *   source    where bytes come from
 *   span      a range and what is known of it: read, zero, excluded, no content, unreadable - and why
 *   account   the sum of all spans of one run; it always adds up to the size of what was asked for
 *   freeze    one moment of one or several processes: stopped, or as a snapshot while they run on
 *
 * Conventions
 * -----------
 *   Addresses and sizes are uint64_t, in bytes. Ranges are given as start and size, so a region that ends at
 *   2^64 needs no special case: start + size - 1 never overflows.
 *   Functions that can fail return a value >= 0, or -errno; `error`, if not NULL, is then filled and is
 *   otherwise left alone. Results ("out-parameters") come last and are written on success only.
 *   Iterators (`_next`) return 1 for an item, 0 at the end, -errno on failure.
 *   `_open`/`_close` hold operating-system handles, `_new`/`_free` only heap. Destructors accept NULL.
 *   Option structures begin with their own size (PIDMEM_INIT sets it); NULL means the defaults. A larger
 *   structure than this library knows is accepted while the fields it does not know are zero. Structures
 *   that the caller has room for and the library fills (struct pidmem_access, struct pidmem_dump_report)
 *   begin with their size as well: as much is filled as it says.
 *
 * Threads
 * -------
 *   There are no globals. Different handles may be used by different threads at the same time. One handle
 *   must not be used by two threads at once; a source and its walks count as their process. A struct
 *   pidmem_maps is immutable and may be shared. Large reads, writing, compressing and the passes of a freeze
 *   may use threads of the library's own, and a walk one until it is closed with its source; they block all
 *   signals. Some choose their priority and processor: setpriority(2) and sched_setaffinity(2) are called
 *   for them alone, never for the caller.
 */
#ifndef PIDMEM_H
#define PIDMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PIDMEM_VERSION "0.1.0"

#if defined(__GNUC__)
#define PIDMEM_API __attribute__((visibility("default")))
#else
#define PIDMEM_API
#endif

/* Initialise an option structure: struct pidmem_open_options options = PIDMEM_INIT(options); */
/* clang-format off */
#ifdef __cplusplus
#define PIDMEM_INIT(object) { sizeof(object) }
#else
#define PIDMEM_INIT(object) { .size = sizeof(object) }
#endif
/* clang-format on */

/** pidmem_version() - the version of the library at run time, as in PIDMEM_VERSION. */
PIDMEM_API const char *pidmem_version(void);

/* ---------------------------------------------------------------------------------------------- errors --- */

/* Stable: new codes are added at the end. */
enum pidmem_code {
	PIDMEM_OK,
	PIDMEM_SYSTEM,        /* a system call failed; .sys tells which way */
	PIDMEM_USAGE,         /* an argument cannot be right */
	PIDMEM_NO_PROCESS,    /* no process has this PID (or hidepid hides it) */
	PIDMEM_THREAD_ID,     /* the number names a thread, not a process; .tid is its process */
	PIDMEM_KERNEL_THREAD, /* kernel threads have no memory of their own */
	PIDMEM_ZOMBIE,        /* the process has ended and waits for its parent: its memory is gone */
	PIDMEM_ACCESS,        /* the kernel refuses; pidmem_access_check() names the cause */
	PIDMEM_GONE,          /* the process ended while it was being read */
	PIDMEM_EXECED,        /* the process replaced itself by another program while it was being read */
	PIDMEM_UNMAPPED,      /* nothing is mapped at .address */
	PIDMEM_NO_MATCH,      /* a name or selection fits no region */
	PIDMEM_CANCELLED,     /* the progress callback asked to stop */
	PIDMEM_EXISTS,        /* the output exists already and was kept */
	PIDMEM_SYMLINK,       /* the output is a symbolic link: never written through */
	PIDMEM_FORMAT,        /* text or a file is not what it should be; .address is the offset or line */
	PIDMEM_UNSUPPORTED,   /* not possible with this kernel or this version */
	PIDMEM_LIMIT,         /* it would be more, or take longer, than was allowed */
};

/**
 * struct pidmem_error - why a call failed; owned by the caller, needs no initialisation.
 * @code:    what kind of failure
 * @sys:     errno; 0 where no system call was at fault, but that PIDMEM_ACCESS and PIDMEM_UNSUPPORTED always have one
 * @tid:     the thread concerned, or 0
 * @address: the address concerned, or 0
 * @text:    one line for people, naming the thing; no trailing full stop or newline
 * @hint:    the way out, or ""
 */
struct pidmem_error {
	enum pidmem_code code;
	int sys;
	pid_t tid;
	uint64_t address;
	char text[320];
	char hint[320];
};

/* --------------------------------------------------------------------------------------------- process --- */

struct pidmem_process;

/**
 * struct pidmem_open_options - how to find a process
 * @size: sizeof this structure
 * @proc: where procfs is mounted; NULL means "/proc". With another procfs (a host's, mounted into a
 *        container) PIDs are those of that procfs.
 */
struct pidmem_open_options {
	size_t size;
	const char *proc;
};

/**
 * pidmem_process_open() - take hold of a process
 *
 * Opens /proc/PID once and reads everything through that directory: it is tied to the process and not to
 * the number, so a reused PID is never mistaken for it (proc(5); pidfd_open(2) is taken as well where it is
 * to be had). Needs no right to read the memory: that is checked when regions or bytes are asked for.
 *
 * Errors: PIDMEM_USAGE (pid <= 0), PIDMEM_NO_PROCESS, PIDMEM_THREAD_ID, PIDMEM_KERNEL_THREAD,
 * PIDMEM_ZOMBIE, PIDMEM_ACCESS (hidepid), PIDMEM_SYSTEM.
 */
PIDMEM_API int pidmem_process_open(pid_t pid, const struct pidmem_open_options *options, struct pidmem_error *error,
				   struct pidmem_process **process);
PIDMEM_API void pidmem_process_close(struct pidmem_process *process);

/**
 * pidmem_process_check() - 0 while the process lives and runs the program it ran when it was opened; else -ESRCH with
 * PIDMEM_GONE or PIDMEM_EXECED
 *
 * Another program is noticed by the address space, which takes the right to read it: where the memory could not be
 * opened, only the end of the process is.
 */
PIDMEM_API int pidmem_process_check(struct pidmem_process *process, struct pidmem_error *error);

PIDMEM_API pid_t pidmem_process_pid(const struct pidmem_process *process);
/** pidmem_process_name() - the name of the program as in /proc/PID/comm when it was opened; bytes, at most 63. */
PIDMEM_API const char *pidmem_process_name(const struct pidmem_process *process);
/**
 * pidmem_process_command() - the command line as in /proc/PID/cmdline, a NUL behind each argument
 *
 * Returns the number of bytes put into @buffer, at most @size; 0 where the process has none. Errors: PIDMEM_SYSTEM.
 */
PIDMEM_API ssize_t pidmem_process_command(struct pidmem_process *process, void *buffer, size_t size,
					  struct pidmem_error *error);
/** pidmem_process_start_time() - in clock ticks since boot, field 22 of /proc/PID/stat. */
PIDMEM_API uint64_t pidmem_process_start_time(const struct pidmem_process *process);
/** pidmem_process_pidfd() - a borrowed pidfd, or -1 where the kernel (before 5.3) or another procfs has none. */
PIDMEM_API int pidmem_process_pidfd(const struct pidmem_process *process);

/* --------------------------------------------------------------------------------------------- threads --- */

struct pidmem_threads;

/** struct pidmem_thread - one thread; @state is the letter of proc_pid_stat(5), @name its comm. */
struct pidmem_thread {
	pid_t tid;
	char state;
	char name[64];
};

/** pidmem_threads_read() - list the threads of a process, in the order of their IDs. Threads may come and go meanwhile.
 */
PIDMEM_API int pidmem_threads_read(struct pidmem_process *process, struct pidmem_error *error,
				   struct pidmem_threads **threads);
PIDMEM_API void pidmem_threads_free(struct pidmem_threads *threads);
PIDMEM_API size_t pidmem_threads_count(const struct pidmem_threads *threads);
/** pidmem_threads_get() - the thread at @index, or NULL past the end; owned by the list. */
PIDMEM_API const struct pidmem_thread *pidmem_threads_get(const struct pidmem_threads *threads, size_t index);

/* ----------------------------------------------------------------------------------------- descendants --- */

struct pidmem_descendants;

/**
 * struct pidmem_descendant - a child of a process, or a child of one of its descendants
 * @pid, @parent: by the numbers of the procfs that was asked
 * @ended:        it is a zombie: it has ended, with all its threads, and waits for its parent; it has no memory
 */
struct pidmem_descendant {
	pid_t pid, parent;
	bool ended;
};

/**
 * pidmem_descendants_read() - list all descendants of some processes, parents before their children
 * @pids, @count: the processes, by the numbers of that procfs; they are not part of the list themselves, even if one
 *                descends from another. Of one that is not there, there are no descendants.
 * @options:      where procfs is mounted; NULL means the defaults
 *
 * Takes no hold of any process, and needs no right to read their memory; every process of the procfs is looked at.
 * Processes may come and go meanwhile: the list is complete only if the parents stand still. The caller is in it like
 * any other, with its own children, if it is a descendant. May be called by any thread; the list never changes, may be
 * shared by threads, and belongs to the caller: pidmem_descendants_free().
 * Errors: PIDMEM_USAGE (a PID <= 0), PIDMEM_SYSTEM (no procfs there, no memory).
 */
PIDMEM_API int pidmem_descendants_read(const pid_t *pids, size_t count, const struct pidmem_open_options *options,
				       struct pidmem_error *error, struct pidmem_descendants **descendants);
PIDMEM_API void pidmem_descendants_free(struct pidmem_descendants *descendants);
PIDMEM_API size_t pidmem_descendants_count(const struct pidmem_descendants *descendants);
/** pidmem_descendants_get() - the one at @index, or NULL past the end; owned by the list. */
PIDMEM_API const struct pidmem_descendant *pidmem_descendants_get(const struct pidmem_descendants *descendants,
								  size_t index);

/* --------------------------------------------------------------------------------------------- regions --- */

struct pidmem_maps;

/* Permissions and sharing of a region. */
#define PIDMEM_PERM_READ 1U
#define PIDMEM_PERM_WRITE 2U
#define PIDMEM_PERM_EXEC 4U
#define PIDMEM_PERM_SHARED 8U /* MAP_SHARED; private otherwise */
/* Of files that do not tell: */
#define PIDMEM_PERM_UNKNOWN 16U         /* what may be done with it */
#define PIDMEM_PERM_SHARING_UNKNOWN 32U /* whether it is shared */

/* Flags of a region that matter to readers; from VmFlags in /proc/PID/smaps (Linux 3.8). */
#define PIDMEM_VM_IO 0x001U           /* io: device memory */
#define PIDMEM_VM_PFNMAP 0x002U       /* pf: bare page frames */
#define PIDMEM_VM_DONTDUMP 0x004U     /* dd: madvise(MADV_DONTDUMP) */
#define PIDMEM_VM_DONTCOPY 0x008U     /* dc: not inherited by fork() */
#define PIDMEM_VM_WIPEONFORK 0x010U   /* wf: zeros in a forked child */
#define PIDMEM_VM_HUGETLB 0x020U      /* ht: huge pages of the hugetlb pool */
#define PIDMEM_VM_UFFD_MISSING 0x040U /* um: a userfaultfd supplies missing pages */
#define PIDMEM_VM_UFFD_WP 0x080U      /* uw: a userfaultfd tracks writes */
#define PIDMEM_VM_UFFD_MINOR 0x100U   /* ui: a userfaultfd resolves minor faults */
#define PIDMEM_VM_LOCKED 0x200U       /* lo: mlock() */
#define PIDMEM_VM_DROPPABLE 0x400U    /* dp: MAP_DROPPABLE, Linux 6.11: pages may become zero */

enum pidmem_kind {
	PIDMEM_KIND_ANON,   /* private memory without a file */
	PIDMEM_KIND_HEAP,   /* [heap]: the area of brk(2) */
	PIDMEM_KIND_STACK,  /* [stack]: the stack of the first thread */
	PIDMEM_KIND_FILE,   /* a private mapping of a file */
	PIDMEM_KIND_SHARED, /* MAP_SHARED, with or without a file */
	PIDMEM_KIND_VDSO,   /* [vdso], [vvar], [vsyscall]: the kernel's own */
};
PIDMEM_API const char *pidmem_kind_name(enum pidmem_kind kind);

/**
 * struct pidmem_usage - what /proc/PID/smaps tells of a region; sizes in bytes.
 * @flags: PIDMEM_VM_*
 */
struct pidmem_usage {
	uint64_t rss, pss, shared_clean, shared_dirty, private_clean, private_dirty, referenced, anonymous, anon_huge,
		shared_hugetlb, private_hugetlb, swap, swap_pss, locked;
	uint32_t flags;
};

/**
 * struct pidmem_region - one mapping of the address space
 * @start, @size: the range, in bytes; multiples of the page size
 * @offset:     into the file, in bytes
 * @inode:      0 without a file
 * @dev_major, @dev_minor: of the file's device
 * @perms:      PIDMEM_PERM_*
 * @kind:       what it is
 * @deleted:    the file has no name any more; the suffix " (deleted)" is not part of @path then
 * @path:       bytes, NUL-terminated, in any encoding; "" if there is none. Newlines are real newlines.
 * @path_size:  length of @path in bytes
 * @resident, @swapped: bytes present in memory and in swap through this mapping; with
 *              PIDMEM_MAPS_RESIDENCE or PIDMEM_MAPS_USAGE, else 0
 * @usage:      with PIDMEM_MAPS_USAGE, else NULL
 */
struct pidmem_region {
	uint64_t start, size, offset, inode;
	uint32_t dev_major, dev_minor;
	uint32_t perms;
	enum pidmem_kind kind;
	bool deleted;
	const char *path;
	size_t path_size;
	uint64_t resident, swapped;
	const struct pidmem_usage *usage;
};

#define PIDMEM_MAPS_RESIDENCE 1U /* fill @resident and @swapped by a scan of the page tables: cheap */
#define PIDMEM_MAPS_USAGE 2U     /* fill @usage from smaps: the kernel visits every page, ~5-10 ms/GiB */

/**
 * pidmem_maps_read() - the regions of a process, in address order
 * @flags: PIDMEM_MAPS_*
 *
 * The list is a picture of one moment and never changes. Errors: PIDMEM_ACCESS, PIDMEM_GONE,
 * PIDMEM_FORMAT, PIDMEM_SYSTEM.
 */
PIDMEM_API int pidmem_maps_read(struct pidmem_process *process, unsigned flags, struct pidmem_error *error,
				struct pidmem_maps **maps);

/**
 * pidmem_maps_parse() - regions from the text of a /proc/PID/maps or smaps, wherever it came from
 *
 * Text alone cannot tell a deleted file from a name that ends in " (deleted)", nor an escaped newline from
 * a name with a literal "\012": both are taken as the kernel's marks. pidmem_maps_read() asks further.
 * Errors: PIDMEM_FORMAT with the line number in error->address.
 */
PIDMEM_API int pidmem_maps_parse(const char *text, size_t size, struct pidmem_error *error, struct pidmem_maps **maps);
PIDMEM_API void pidmem_maps_free(struct pidmem_maps *maps);

PIDMEM_API size_t pidmem_maps_count(const struct pidmem_maps *maps);
/** pidmem_maps_get() - the region at @index, or NULL past the end; owned by the list. */
PIDMEM_API const struct pidmem_region *pidmem_maps_get(const struct pidmem_maps *maps, size_t index);
/** pidmem_maps_find() - the region that holds @address, or NULL; O(log n). */
PIDMEM_API const struct pidmem_region *pidmem_maps_find(const struct pidmem_maps *maps, uint64_t address);
/** pidmem_maps_find_next() - the region that holds @address, else the next above it, else NULL. */
PIDMEM_API const struct pidmem_region *pidmem_maps_find_next(const struct pidmem_maps *maps, uint64_t address);

/**
 * pidmem_maps_resolve() - the address that a person wrote
 * @text: hex digits with or without 0x, or NAME+OFFSET ("[heap]+0x10", "libc.so.6+0x1234"), or NAME
 *
 * NAME is a path, or the base name of one; OFFSET is hex, counted from the lowest region of that name.
 * Errors: PIDMEM_USAGE, PIDMEM_NO_MATCH. The address need not be mapped.
 */
PIDMEM_API int pidmem_maps_resolve(const struct pidmem_maps *maps, const char *text, struct pidmem_error *error,
				   uint64_t *address);

/**
 * pidmem_maps_describe() - write @address as NAME+OFFSET, as pidmem_maps_resolve() reads it, into @text
 *
 * Returns the length, as snprintf(3); 0 and an empty text where no named region holds the address.
 */
PIDMEM_API int pidmem_maps_describe(const struct pidmem_maps *maps, uint64_t address, char *text, size_t size);

/* ----------------------------------------------------------------------------------------- page states --- */

struct pidmem_pages;

#define PIDMEM_PAGE_PRESENT 1U /* in memory and mapped here */
#define PIDMEM_PAGE_SWAPPED 2U /* swapped out: reading brings it back */
#define PIDMEM_PAGE_FILE 4U    /* belongs to a file or shared memory */
#define PIDMEM_PAGE_ZERO 8U    /* the kernel's page of zeros (only told by PAGEMAP_SCAN) */
#define PIDMEM_PAGE_HUGE 16U   /* part of a huge page (only told by PAGEMAP_SCAN) */
#define PIDMEM_PAGE_GUARD 32U  /* MADV_GUARD_INSTALL (Linux 6.13; told since 6.15): no content, faults */

/** struct pidmem_page_run - neighbouring pages of one state; @flags: PIDMEM_PAGE_* */
struct pidmem_page_run {
	uint64_t start, size;
	uint32_t flags;
};

/**
 * pidmem_pages_open() - iterate over the states of the pages of a range, without touching one
 *
 * Uses PAGEMAP_SCAN (Linux 6.7, cost follows the pages that exist), else /proc/PID/pagemap (8 bytes are
 * read for each page of the range). Only pages that have an entry are told: what lies between two runs has
 * none, in this process at least. Runs of more than 64 MiB are told in pieces, so that the answer is young.
 */
PIDMEM_API int pidmem_pages_open(struct pidmem_process *process, uint64_t start, uint64_t size,
				 struct pidmem_error *error, struct pidmem_pages **pages);
PIDMEM_API void pidmem_pages_close(struct pidmem_pages *pages);
PIDMEM_API int pidmem_pages_next(struct pidmem_pages *pages, struct pidmem_error *error, struct pidmem_page_run *run);

/* ------------------------------------------------------------------------------------------- selection --- */

struct pidmem_select;

/**
 * pidmem_select_add() - add one term to a selection of regions
 * @term: `heap` `stack` `anon` `file` `shared` `vdso`; START-END in hex; NAME[:PERMS], a glob(7) on the
 *        base name or the full path and letters that must all be set ("libc*:rx"; all four, "rw-p", must be
 *        equal; ":w" is any region that can be written to); a leading `!` leaves out what the rest names
 *
 * What any term names and no `!` term names is selected; with `!` terms alone, all the rest is.
 */
PIDMEM_API int pidmem_select_new(struct pidmem_error *error, struct pidmem_select **select);
PIDMEM_API int pidmem_select_add(struct pidmem_select *select, const char *term, struct pidmem_error *error);
PIDMEM_API void pidmem_select_free(struct pidmem_select *select);

/**
 * pidmem_select_test() - is the byte at @address of @region selected?
 * @select: NULL selects everything
 * @run:    how many bytes from @address on share the answer, within the region (may be NULL)
 */
PIDMEM_API bool pidmem_select_test(const struct pidmem_select *select, const struct pidmem_region *region,
				   uint64_t address, uint64_t *run);

/** pidmem_select_check() - 0 if some byte of some region is selected, else -ENOENT with PIDMEM_NO_MATCH. */
PIDMEM_API int pidmem_select_check(const struct pidmem_select *select, const struct pidmem_maps *maps,
				   struct pidmem_error *error);

/* ---------------------------------------------------------------------------------- sources and spans --- */

struct pidmem_source;

enum pidmem_class {
	PIDMEM_READ,       /* content was read */
	PIDMEM_ZERO,       /* never touched, or all zero: the content is known */
	PIDMEM_EXCLUDED,   /* left out by a selection or an option, or memory of a device or of the kernel */
	PIDMEM_NO_CONTENT, /* guard pages, past the end of the mapped file */
	PIDMEM_UNREADABLE, /* has content that could not be read */
};
#define PIDMEM_CLASSES 5
/** pidmem_class_name() - "read", "zero", "excluded", "no_content", "unreadable". */
PIDMEM_API const char *pidmem_class_name(enum pidmem_class class_);

enum pidmem_why {
	PIDMEM_WHY_NONE,
	PIDMEM_WHY_FILTER,   /* excluded: not selected */
	PIDMEM_WHY_DEVICE,   /* excluded: VM_IO or VM_PFNMAP, reading may hang the machine */
	PIDMEM_WHY_KERNEL,   /* excluded: [vvar], [vsyscall]: pages of the kernel, not of the process */
	PIDMEM_WHY_GUARD,    /* no content: guard page */
	PIDMEM_WHY_PAST_EOF, /* no content: past the end of the mapped file */
	PIDMEM_WHY_UFFD,     /* no content yet: a userfaultfd supplies it on demand */
	PIDMEM_WHY_UNMAPPED, /* no content: unmapped or replaced since the regions were listed, or never mapped */
	PIDMEM_WHY_FILE,     /* unreadable: not in memory and the file could not be opened or read */
	PIDMEM_WHY_SHARED,   /* unreadable: shared memory that this process does not have in its page tables;
			      * reading through the process would make it grow, the object itself needs
			      * CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE */
	PIDMEM_WHY_PERMS,    /* unreadable: page protection, and proc_mem.force_override forbids to pass it */
	PIDMEM_WHY_SECRET,   /* unreadable: memfd_secret(2) */
	PIDMEM_WHY_POISONED, /* unreadable: in memory of a userfaultfd, UFFDIO_POISON most likely */
	PIDMEM_WHY_IO,       /* unreadable: the kernel said EIO and nothing explains it: a disk or memory error, or, on
			      * Linux 6.13 and 6.14, which do not tell them, guard pages */
	PIDMEM_WHY_DUMP_RULES, /* excluded: not in cores by coredump_filter, or MADV_DONTDUMP */
	PIDMEM_WHY_NOT_COPIED, /* unreadable: not part of a copy (MADV_WIPEONFORK, DONTFORK) and not saved in the pause
				*/
	PIDMEM_WHY_NOT_SAVED, /* excluded: not in the file, which does not tell whether it was left out or never touched
			       */
	PIDMEM_WHY_TRUNCATED, /* unreadable: the file ends before it */
	PIDMEM_WHY_LIMIT,     /* unreadable: a limit of size or time was reached before it was saved */
	PIDMEM_WHY_SWAPPED,   /* excluded: in swap, from where reading would bring it back */
	PIDMEM_WHY_NOT_SOUGHT,  /* excluded: behind the last match that was asked for, or not among those to be narrowed
				 */
	PIDMEM_WHY_MAPPED_FILE, /* read or zero: not in the core but in the file that was mapped, see `files` in struct
				 * pidmem_file_options */
};
/** pidmem_why_name() - a stable word: "filter", "device", "kernel", "guard", "past-eof", "userfaultfd",
 * "unmapped", "file", "shared", "permissions", "secret", "poisoned", "io", "dump-rules", "not-copied", "not-saved",
 * "truncated", "limit", "swapped", "not-sought", "mapped-file"; "" for none. */
PIDMEM_API const char *pidmem_why_name(enum pidmem_why why);
/** pidmem_why_text() - the same in a few words for people. */
PIDMEM_API const char *pidmem_why_text(enum pidmem_why why);

/**
 * struct pidmem_span - a range, and what is known of it
 * @region: owned by the source's maps; NULL where nothing is mapped
 * @bytes:  @size bytes of content for PIDMEM_READ, valid until the next call on the same walk; else NULL
 */
struct pidmem_span {
	uint64_t start, size;
	enum pidmem_class class_;
	enum pidmem_why why;
	const struct pidmem_region *region;
	const unsigned char *bytes;
};

enum pidmem_consistency {
	PIDMEM_LIVE,     /* the target runs on: bytes are from the moments they were read */
	PIDMEM_STOPPED,  /* stopped while it is read */
	PIDMEM_SNAPSHOT, /* one moment, saved while it runs on */
};
PIDMEM_API const char *pidmem_consistency_name(enum pidmem_consistency consistency);

/**
 * struct pidmem_source_options - how to read
 * @size:        sizeof this structure
 * @consistency: PIDMEM_LIVE, or PIDMEM_STOPPED and PIDMEM_SNAPSHOT as by pidmem_freeze_open() without `fall_back`
 * @select:      which regions; NULL means all. Borrowed until the source is closed.
 */
struct pidmem_source_options {
	size_t size;
	enum pidmem_consistency consistency;
	const struct pidmem_select *select;
};

/**
 * pidmem_source_open() - get ready to read a live process
 *
 * Nothing of the target changes by reading from the source, but that swapped pages come back into memory when
 * they are read: pages that it has in memory or in swap are read
 * through /proc/PID/mem (PROT_NONE included), what it never touched is known to be zero, and pages of files
 * and shared memory that it does not have in its page tables come from the file itself, checked by device and
 * inode. The process is borrowed until the source is closed. Errors: PIDMEM_ACCESS, PIDMEM_GONE,
 * PIDMEM_NO_MATCH (nothing is selected), PIDMEM_UNSUPPORTED, PIDMEM_SYSTEM.
 */
PIDMEM_API int pidmem_source_open(struct pidmem_process *process, const struct pidmem_source_options *options,
				  struct pidmem_error *error, struct pidmem_source **source);
PIDMEM_API void pidmem_source_close(struct pidmem_source *source);

/**
 * pidmem_source_release() - let the process of a frozen source go: it runs on, its copy ends; others of the same freeze
 * stay as they are
 *
 * The source can no longer read, and what pidmem_freeze_describe() tells of the process is final. Of a live source, and
 * of one that was let go already, nothing is changed. pidmem_dump() and pidmem_core() do it by themselves, as soon as
 * they can, if their options say so. Errors: PIDMEM_SYSTEM: the helper process was killed, and with it what it held
 * ran on.
 */
PIDMEM_API int pidmem_source_release(struct pidmem_source *source, struct pidmem_error *error);

/** pidmem_source_maps() - the regions when the source was opened or last refreshed; owned by the source. */
PIDMEM_API const struct pidmem_maps *pidmem_source_maps(const struct pidmem_source *source);
/** pidmem_source_refresh() - list the regions again; earlier regions and walks of this source become invalid. */
PIDMEM_API int pidmem_source_refresh(struct pidmem_source *source, struct pidmem_error *error);

/**
 * pidmem_source_read() - read a range into a buffer
 * @stop: filled when fewer than @size bytes were read: the span that has no bytes, and why (may be NULL)
 *
 * Returns the number of bytes read, zeros included; it is short before the first byte that cannot be had,
 * and 0 only if that is the first one (or @size is 0). Reading goes on across adjacent regions.
 * Errors: PIDMEM_GONE, PIDMEM_EXECED, PIDMEM_SYSTEM.
 */
PIDMEM_API ssize_t pidmem_source_read(struct pidmem_source *source, uint64_t address, void *buffer, size_t size,
				      struct pidmem_error *error, struct pidmem_span *stop);

/**
 * struct pidmem_request - one part of a vectored read
 * @address, @buffer, @size: set by the caller
 * @done: how many bytes were read
 * @stop: why no more, if @done < @size
 */
struct pidmem_request {
	uint64_t address;
	void *buffer;
	size_t size;
	size_t done;
	struct pidmem_span stop;
};

/** pidmem_source_readv() - several reads; returns how many of them were read whole. Errors as above. */
PIDMEM_API ssize_t pidmem_source_readv(struct pidmem_source *source, struct pidmem_request *requests, size_t count,
				       struct pidmem_error *error);

struct pidmem_walk;

#define PIDMEM_WALK_STATES                                                                   \
	1U /* tell what is there without reading it: spans that would be read have no bytes, \
	    * and pages that happen to be all zero are told as PIDMEM_READ */
#define PIDMEM_WALK_NO_SWAP                                                                          \
	2U /* what a live or stopped process has in swap is not read but told as excluded; that of a \
	    * snapshot's is, which changes nothing for the process */

/**
 * pidmem_walk_open() - go through the mapped parts of a range, in address order, span by span
 * @start, @size: the range; 0 and UINT64_MAX for the whole address space, its last byte included
 *
 * Each byte of each region in the range is told exactly once; what is not mapped is passed over.
 * Neighbouring spans may have the same class. The source is borrowed until the walk is closed; several walks
 * of one source may be open, for one thread.
 */
PIDMEM_API int pidmem_walk_open(struct pidmem_source *source, uint64_t start, uint64_t size, unsigned flags,
				struct pidmem_error *error, struct pidmem_walk **walk);
PIDMEM_API void pidmem_walk_close(struct pidmem_walk *walk);
/** pidmem_walk_next() - the next span. Errors: PIDMEM_GONE, PIDMEM_EXECED, PIDMEM_SYSTEM. */
PIDMEM_API int pidmem_walk_next(struct pidmem_walk *walk, struct pidmem_error *error, struct pidmem_span *span);

/* ------------------------------------------------------------------------------------------- freezing --- */

/* How a snapshot was made. */
enum pidmem_engine {
	PIDMEM_ENGINE_NONE,    /* it was not: live or stopped */
	PIDMEM_ENGINE_CLONE,   /* a frozen copy of the process by one injected clone(2) */
	PIDMEM_ENGINE_PRECOPY, /* copied while it ran and its writes were tracked; stopped for the last ones alone */
};
/** pidmem_engine_name() - "clone", "precopy"; NULL for none. */
PIDMEM_API const char *pidmem_engine_name(enum pidmem_engine engine);

/** struct pidmem_progress - how far a long call has come; @expected is an estimate, in bytes, and never less than
 * @done. */
struct pidmem_progress {
	uint64_t done, expected;
};

/* When shared memory is read, which no copy freezes. */
enum pidmem_shared {
	PIDMEM_SHARED_AUTO, /* during the pause, smallest mappings first, up to shared_limit bytes; the rest after it */
	PIDMEM_SHARED_PAUSED, /* all of it during the pause */
	PIDMEM_SHARED_AFTER,  /* all of it after the pause */
};

/**
 * struct pidmem_freeze_options - how to freeze
 * @size:         sizeof this structure
 * @consistency:  PIDMEM_SNAPSHOT or PIDMEM_STOPPED (PIDMEM_LIVE, the zero value, means PIDMEM_SNAPSHOT)
 * @fall_back:    where a snapshot is impossible, keep the target stopped instead; where it cannot even be stopped
 *                (it is traced already, or is the caller), read it live. The report says so and why. Otherwise fail.
 * @shared, @shared_limit: see enum pidmem_shared; a limit of 0 means 4 MiB
 * @descendants:  freeze all descendants of the given processes as well, without the caller
 * @select:       which regions; NULL means all. Borrowed until the freeze is closed.
 * @core:         it is for core files: what pidmem_core() leaves out by @filter need not be saved during the pause
 * @filter:       as in struct pidmem_core_options
 * @patience_ms:  how long to wait for threads that do not stop (in an uninterruptible wait); 0 means 50
 * @engine:       how to make snapshots. PIDMEM_ENGINE_NONE: pre-copy, unless its stop would be much longer. Where
 *                that is impossible it is the other one, and the report says why; pre-copy only with a @directory, and
 *                unless asked for only where no more than 64 MiB have to be copied in the stop, into memory
 * @max_pause_us: stop the targets for no longer, all of them together, as far as that can be foretold, by whichever
 *                engine can if none is asked for; or fail and tell how long it would be; 0: no limit
 * @directory:    where pidmem_core() or pidmem_dump() will write its file: pre-copy needs room there for everything
 *                that is copied, and does not have to copy it again, unless it is to be compressed: all in all that
 *                takes about twice as long as with a clone. What was written to takes more until the
 *                processes run on, up to half of what is free there. NULL: no pre-copy.
 * @progress:     called now and then while the processes run and are copied (pre-copy), and when a signal interrupts
 *                that; never while one stands still for it, and perhaps by a thread of the library's, for which the
 *                caller waits. A return value other than 0 cancels: the processes and the directory are as before (may
 *                be NULL)
 * @user:         first argument of @progress
 */
struct pidmem_freeze_options {
	size_t size;
	enum pidmem_consistency consistency;
	bool fall_back;
	bool descendants;
	bool core;
	enum pidmem_shared shared;
	uint64_t shared_limit;
	const struct pidmem_select *select;
	unsigned filter;
	unsigned patience_ms;
	enum pidmem_engine engine;
	uint64_t max_pause_us;
	const char *directory;
	int (*progress)(void *user, const struct pidmem_progress *progress);
	void *user;
};

struct pidmem_freeze;

/**
 * pidmem_freeze_open() - hold one moment of one or several processes, all stopped together
 *
 * With PIDMEM_SNAPSHOT each process gets a frozen copy (a child of it that never runs, by one injected clone(2)) and
 * runs on before this returns; its sources then read from the copy. With PIDMEM_STOPPED all threads stay stopped
 * until pidmem_source_release(), pidmem_freeze_release() or pidmem_freeze_close(). A helper process holds the stop:
 * whatever happens to the caller, SIGKILL included, everything is resumed and no copy survives. It is a child of the
 * caller: a program that waits for any child may see its end.
 *
 * Nothing is written into the memory of a target. The processes are borrowed until the freeze is closed.
 * Errors: PIDMEM_ACCESS, PIDMEM_GONE, PIDMEM_NO_MATCH, PIDMEM_UNSUPPORTED (a snapshot is impossible: the text says
 * why), PIDMEM_CANCELLED, PIDMEM_SYSTEM.
 */
PIDMEM_API int pidmem_freeze_open(struct pidmem_process *const *processes, size_t count,
				  const struct pidmem_freeze_options *options, struct pidmem_error *error,
				  struct pidmem_freeze **freeze);
PIDMEM_API void pidmem_freeze_close(struct pidmem_freeze *freeze);

/** pidmem_freeze_release() - resume all that is stopped and end all copies, as pidmem_source_release() does for one. A
 * second call does nothing. */
PIDMEM_API int pidmem_freeze_release(struct pidmem_freeze *freeze, struct pidmem_error *error);

/** pidmem_freeze_count() - how many processes: those given, in their order, and then their descendants. */
PIDMEM_API size_t pidmem_freeze_count(const struct pidmem_freeze *freeze);
/** pidmem_freeze_process(), pidmem_freeze_source() - of the process at @index, or NULL past the end; owned by the
 * freeze (processes that the caller gave: by the caller). */
PIDMEM_API struct pidmem_process *pidmem_freeze_process(struct pidmem_freeze *freeze, size_t index);
PIDMEM_API struct pidmem_source *pidmem_freeze_source(struct pidmem_freeze *freeze, size_t index);

/**
 * struct pidmem_freeze_report - how a process was frozen
 * @size:        sizeof this structure: set by the caller, PIDMEM_INIT
 * @consistency, @engine: what was really used
 * @fallback:    why it is less than what was asked for, in a few words; NULL if it is not. Owned by the freeze.
 * @pause_us:    from the first thread stopped to the last one resumed; the longest, if there was more than one stop
 * @stops_us, @stop_count: each stop. Owned by the freeze.
 * @threads, @unstopped: threads, and how many of them could not be stopped (and may have gone on in the kernel)
 * @shared_paused, @shared_after: bytes of shared mappings that were saved in the pause, and that are read after it
 * @passes:      of pre-copy: how often written pages were copied while the process ran
 * @untracked:   of pre-copy: bytes that could not be tracked, and so were copied in the pause: mappings that appeared,
 *               moved or use userfaultfd(2) themselves
 */
struct pidmem_freeze_report {
	size_t size;
	enum pidmem_consistency consistency;
	enum pidmem_engine engine;
	const char *fallback;
	uint64_t pause_us;
	const uint64_t *stops_us;
	size_t stop_count;
	size_t threads, unstopped;
	uint64_t shared_paused, shared_after;
	unsigned passes;
	uint64_t untracked;
};
/** pidmem_freeze_describe() - fill a report; that of a stopped process is final after pidmem_freeze_release(). */
PIDMEM_API int pidmem_freeze_describe(const struct pidmem_freeze *freeze, size_t index, struct pidmem_error *error,
				      struct pidmem_freeze_report *report);

/** pidmem_source_describe() - how what the source reads was frozen: of a process as pidmem_freeze_describe(), of a file
 * as far as it tells (threads are those that it has); one that does not tell is described as live. */
PIDMEM_API int pidmem_source_describe(struct pidmem_source *source, struct pidmem_error *error,
				      struct pidmem_freeze_report *report);

/**
 * pidmem_source_build_id() - the build-id (ld(1), --build-id) of the program or library whose ELF header is at @address
 *
 * Returns its size in bytes, mostly 20, with the id in @id; 0 if there is none, or if it cannot be read. Errors:
 * PIDMEM_USAGE (@size is too small: 64 is always enough).
 */
PIDMEM_API ssize_t pidmem_source_build_id(struct pidmem_source *source, uint64_t address, void *id, size_t size,
					  struct pidmem_error *error);

/* ---------------------------------------------------------------------------------------------- files --- */

/**
 * struct pidmem_file_options - how to read a file
 * @size:   sizeof this structure
 * @select: which regions; NULL means all. Borrowed until the source is closed.
 * @opened: called once the file is open, and its index with it, and before a byte of either is looked at: who has
 * rights that reading does not need can give them up there. The parts of a split dump are opened when they are read. A
 * return value other than 0 cancels (may be NULL)
 * @user:   first argument of @opened
 * @files:  of a core: what it leaves out of mapped files is read from these, PIDMEM_WHY_MAPPED_FILE, where it is proved
 *          that the file is the same one still and that the process had changed nothing. The first page of a program or
 *          library proves it, if the core has it and there is a build-id in it; for other files what pidmem_core()
 * notes of them, device, inode, size and times. Of cores of other writers, read-only segments of programs and libraries
 * alone. pidmem_file_missing() tells of files that are not the same any more
 */
struct pidmem_file_options {
	size_t size;
	const struct pidmem_select *select;
	int (*opened)(void *user);
	void *user;
	bool files;
};

/**
 * pidmem_source_open_file() - a source without a process: a core file, or a raw dump with its index
 *
 * ELF cores of 32 and 64 bits, of the order of bytes of this machine, whoever wrote them; raw dumps as pidmem_dump()
 * writes them, a directory of @split included. Regions have the names and kinds that the file tells, see
 * PIDMEM_PERM_UNKNOWN for what it may not tell. What the file does not hold is told by the spans: zero where it is
 * known to be, else excluded (PIDMEM_WHY_NOT_SAVED, or the reason that the file gives), or unreadable where a part of
 * the file is missing (PIDMEM_WHY_TRUNCATED). The file stays open; whoever changes it meanwhile changes what is read.
 *
 * Nothing that the file says is believed without a check. Errors: PIDMEM_FORMAT (neither, or its headers cannot be
 * true), PIDMEM_UNSUPPORTED, PIDMEM_NO_MATCH (nothing is selected), PIDMEM_CANCELLED, PIDMEM_SYSTEM.
 */
PIDMEM_API int pidmem_source_open_file(const char *path, const struct pidmem_file_options *options,
				       struct pidmem_error *error, struct pidmem_source **source);

enum pidmem_file_kind {
	PIDMEM_FILE_CORE, /* an ELF core */
	PIDMEM_FILE_DUMP, /* a raw dump */
};

/**
 * struct pidmem_file - what is known of a file; all texts are owned by the source
 * @size:         sizeof this structure: set by the caller, PIDMEM_INIT
 * @path:         as it was given
 * @writer:       "pidmem", "gdb", "kernel", as far as it can be told; else NULL
 * @compression:  "zstd", or NULL
 * @apparent, @size_on_disk: in bytes; without compression; @apparent is 0 of a split dump
 * @expected:     what @apparent would be if nothing of the file was missing
 * @truncated:    something of it is missing
 * @unknown:      so many program headers of a core are missing: nothing is known of the regions that they told of
 * @complete:     it tells of all that has no content
 * @bits, @machine, @machine_name: of a core: 32 or 64, EM_* of elf.h, "x86-64" or NULL
 * @has_process:  @uid, @name and @arguments are told
 * @has_consistency: what pidmem_source_describe() tells of the file is what it says itself, or holds for all that its
 *                writer makes
 * @has_usage:    @resident and @swapped of the regions are told
 * @pid:          0 if it is not told
 * @name, @arguments: "" if they are not told; arguments are separated by blanks and cut after 79 bytes
 * @signal:       that the first thread was about to take, or 0
 * @threads, @notes, @segments: how many, of a core
 * @record:       the text of pidmem's note about completeness, JSON; NULL if there is none
 * @remarks:      how many pidmem_file_remark() has
 * @missing:      how many pidmem_file_missing() has
 */
struct pidmem_file {
	size_t size;
	enum pidmem_file_kind kind;
	const char *path, *writer, *compression;
	uint64_t apparent, size_on_disk, expected;
	bool truncated, complete, has_process, has_usage, has_consistency;
	unsigned bits, machine;
	const char *machine_name;
	pid_t pid;
	uid_t uid;
	const char *name, *arguments;
	int signal;
	size_t threads, notes, segments;
	const char *record;
	size_t remarks;
	size_t missing;
	uint64_t unknown;
};
/** pidmem_file_describe() - fill it. Errors: PIDMEM_USAGE (the source is a process). */
PIDMEM_API int pidmem_file_describe(const struct pidmem_source *source, struct pidmem_error *error,
				    struct pidmem_file *file);
/** pidmem_file_remark() - what its user should know, in words: what is missing, what a debugger will miss; NULL past
 * the end. */
PIDMEM_API const char *pidmem_file_remark(const struct pidmem_source *source, size_t index);

/** pidmem_file_missing() - with @files, a file that what the core leaves out cannot be read from, and why, in words;
 * NULL past the end. */
PIDMEM_API const char *pidmem_file_missing(const struct pidmem_source *source, size_t index);

/** struct pidmem_file_note - a note of a core: @offset and @size of its bytes in the file. @owner is cut after 15
 * bytes. */
struct pidmem_file_note {
	const char *owner;
	uint32_t type;
	uint64_t offset, size;
};
/** pidmem_file_notes() - call @each for all notes in their order; returns 0, or what it returned if that was not 0. */
PIDMEM_API int pidmem_file_notes(const struct pidmem_source *source,
				 int (*each)(void *user, const struct pidmem_file_note *note), void *user,
				 struct pidmem_error *error);

/** pidmem_source_threads() - the threads of the process, or those that a file tells of: @state is 0 and @name "" where
 * it does not tell them. Errors: as pidmem_threads_read(). */
PIDMEM_API int pidmem_source_threads(struct pidmem_source *source, struct pidmem_error *error,
				     struct pidmem_threads **threads);

/* --------------------------------------------------------------------------------------------- account --- */

/** struct pidmem_totals - bytes by class, indexed by enum pidmem_class; @total is always their sum. */
struct pidmem_totals {
	uint64_t total;
	uint64_t by_class[PIDMEM_CLASSES];
};

/** struct pidmem_hole - a range without content, or unreadable, and why. */
struct pidmem_hole {
	uint64_t start, size;
	enum pidmem_class class_;
	enum pidmem_why why;
};

struct pidmem_account;
PIDMEM_API int pidmem_account_new(struct pidmem_error *error, struct pidmem_account **account);
PIDMEM_API void pidmem_account_free(struct pidmem_account *account);
/** pidmem_account_add() - count a span; adjacent holes of the same kind become one. -ENOMEM is the only error. */
PIDMEM_API int pidmem_account_add(struct pidmem_account *account, const struct pidmem_span *span,
				  struct pidmem_error *error);
PIDMEM_API const struct pidmem_totals *pidmem_account_totals(const struct pidmem_account *account);

/** struct pidmem_reason - what was left out for one reason: bytes, the first address, and how many ranges. */
struct pidmem_reason {
	uint64_t size, first, count;
};
/** pidmem_account_excluded() - what is PIDMEM_EXCLUDED for this reason. */
PIDMEM_API struct pidmem_reason pidmem_account_excluded(const struct pidmem_account *account, enum pidmem_why why);

/** pidmem_account_mapped() - what was read, or is known to be zero, from mapped files: PIDMEM_WHY_MAPPED_FILE. */
PIDMEM_API struct pidmem_reason pidmem_account_mapped(const struct pidmem_account *account);

/* What has no content, or could not be read. */
PIDMEM_API size_t pidmem_account_hole_count(const struct pidmem_account *account);
PIDMEM_API const struct pidmem_hole *pidmem_account_hole(const struct pidmem_account *account, size_t index);

/* ---------------------------------------------------------------------------------------------- saving --- */

/**
 * struct pidmem_dump_options - how to write a raw dump
 * @size:     sizeof this structure
 * @path:     the file to write; the index goes to @path with ".index" appended. A device or pipe that exists
 *            is written to as a stream, without index. Exactly one of @path and @split is given.
 * @split:    a directory, made if need be and empty otherwise, for one file per region, and one index "index".
 *            A directory that is there is kept as it is, with its mode and group.
 * @force:    replace existing files; does not apply to @split
 * @progress: called now and then, and when a signal interrupts a write; a return value other than 0 cancels
 *            (may be NULL)
 * @user:     first argument of @progress
 * @command:  value of "command" in the lines of the index; NULL means "dump"
 * @release:  pidmem_source_release() as soon as the last byte has been read, while the rest is written
 * @zstd:     compress what is written, but not the index: a level of zstd, 1 to PIDMEM_ZSTD_MOST; 0: not at all. It is
 *            the seekable format of zstd: frames that can be read one by one, and a table of them at the end. Offsets
 *            are those in the content. Threads of the library's own compress, as many as there are processors, 8 at
 * most
 * @max_size: write no more than so many bytes, holes aside: PIDMEM_LIMIT otherwise. 0: no limit
 * @max_time_us: write for no longer: PIDMEM_LIMIT otherwise. 0: no limit
 * @partial:  at a limit save what there is: all else that has content is told as unreadable, PIDMEM_WHY_LIMIT
 * @rate:     read no more than so many bytes a second. 0: as fast as can be
 *
 * The account given to pidmem_dump() must not be NULL. SIGKILL in the middle can leave a temporary directory
 * ".pidmem.PID.N" with @split, in the directory if it was there and beside it if not; and a temporary file of such
 * a name where the file system has no unnamed ones (O_TMPFILE).
 */
struct pidmem_dump_options {
	size_t size;
	const char *path;
	const char *split;
	bool force;
	int (*progress)(void *user, const struct pidmem_progress *progress);
	void *user;
	const char *command;
	bool release;
	int zstd;
	uint64_t max_size;
	uint64_t max_time_us;
	bool partial;
	uint64_t rate;
};
#define PIDMEM_ZSTD_MOST 19

/**
 * struct pidmem_dump_report - what was written; sizes in bytes, times in microseconds.
 * @content: as @apparent, before it was compressed
 */
struct pidmem_dump_report {
	size_t size; /* sizeof this structure: set by the caller, PIDMEM_INIT */
	uint64_t apparent, on_disk;
	uint64_t elapsed_us;
	bool indexed;
	uint64_t content;
};

/**
 * pidmem_dump() - write everything that has content into a file, region after region, with an index
 * @account: every span is added to it
 *
 * Files are written beside their final place with mode 0600 and get their names when complete; on failure or
 * cancel nothing is left. Known-zero ranges of 1 MiB and more take no room in the file and stand in the index
 * as "zero"; shorter ones are holes. Errors: PIDMEM_EXISTS, PIDMEM_SYMLINK, PIDMEM_CANCELLED, PIDMEM_GONE,
 * PIDMEM_EXECED, PIDMEM_SYSTEM.
 */
PIDMEM_API int pidmem_dump(struct pidmem_source *source, const struct pidmem_dump_options *options,
			   struct pidmem_account *account, struct pidmem_error *error,
			   struct pidmem_dump_report *report);

/**
 * struct pidmem_core_options - how to write a core file
 * @size:     sizeof this structure
 * @path:     the file to write; a device or pipe that exists is written to as a stream. NULL: write to @fd
 * @fd:       a stream to write to if @path is NULL; never closed
 * @force:    replace an existing file
 * @filter:   PIDMEM_CORE_FILTER | MASK: which kinds of regions, in the bits of /proc/PID/coredump_filter (core(5));
 *            0: the target's own filter
 * @all:      everything that can be read, whatever filter and madvise(MADV_DONTDUMP) say
 * @progress, @user, @release, @zstd, @max_size, @max_time_us, @partial, @rate: as in struct pidmem_dump_options. What
 * is missing from a partial core file is zeros in it; the note tells
 */
struct pidmem_core_options {
	size_t size;
	const char *path;
	int fd;
	bool force;
	bool all;
	unsigned filter;
	int (*progress)(void *user, const struct pidmem_progress *progress);
	void *user;
	bool release;
	int zstd;
	uint64_t max_size;
	uint64_t max_time_us;
	bool partial;
	uint64_t rate;
};
#define PIDMEM_CORE_FILTER 0x80000000U

/** struct pidmem_core_report - what was written, as in struct pidmem_dump_report. */
struct pidmem_core_report {
	size_t size; /* sizeof this structure: set by the caller, PIDMEM_INIT */
	uint64_t apparent, on_disk;
	uint64_t elapsed_us;
	size_t segments, threads;
	uint64_t content;
};

/**
 * pidmem_core() - write an ELF core file, with the segments and notes that the kernel itself would write
 * @account: every span is added to it
 *
 * A note of the owner "pidmem" tells consistency and completeness. Registers are those of the moment of the freeze; a
 * live source has none. Files are written as pidmem_dump() does. Errors: as pidmem_dump().
 */
PIDMEM_API int pidmem_core(struct pidmem_source *source, const struct pidmem_core_options *options,
			   struct pidmem_account *account, struct pidmem_error *error,
			   struct pidmem_core_report *report);

/**
 * pidmem_give_way() - let the calling thread, and those that it starts from now on, use processors and disks only while
 * nobody else wants them (sched(7), SCHED_IDLE; ioprio_set(2))
 *
 * Not before pidmem_freeze_open() has returned, and not for what stands still until it is read: it would have to wait
 * for whoever else is at work. Errors: PIDMEM_SYSTEM (a seccomp filter, mostly).
 */
PIDMEM_API int pidmem_give_way(struct pidmem_error *error);

/* ---------------------------------------------------------------------------------------------- finding --- */

struct pidmem_patterns;

enum pidmem_pattern_kind {
	PIDMEM_PATTERN_TEXT,    /* the bytes themselves */
	PIDMEM_PATTERN_HEX,     /* "48 8b ?? 4?": two digits for each byte, ? for any digit */
	PIDMEM_PATTERN_REGEX,   /* pcre2pattern(3), over bytes; ^ and $ match at newlines. Matches do not overlap. */
	PIDMEM_PATTERN_VALUE,   /* a number of some type */
	PIDMEM_PATTERN_STRINGS, /* anything that reads as text */
	PIDMEM_PATTERN_RULES,   /* a file of rules of YARA, if libyara was there to build with */
};

enum pidmem_value_type {
	PIDMEM_TYPE_NONE,
	PIDMEM_TYPE_U8,
	PIDMEM_TYPE_U16,
	PIDMEM_TYPE_U32,
	PIDMEM_TYPE_U64,
	PIDMEM_TYPE_I8,
	PIDMEM_TYPE_I16,
	PIDMEM_TYPE_I32,
	PIDMEM_TYPE_I64,
	PIDMEM_TYPE_F32,
	PIDMEM_TYPE_F64,
	PIDMEM_TYPE_PTR, /* an address: of 8 bytes, or of 4 in a process of 32 bits */
};
/** pidmem_value_type_name() - "u8", "i64", "f32", "ptr"...; NULL for none. */
PIDMEM_API const char *pidmem_value_type_name(enum pidmem_value_type type);

/**
 * struct pidmem_pattern - what to look for
 * @size:     sizeof this structure
 * @kind, @type: which kind, and of values which type
 * @text, @length: as people write it, not NUL-terminated: text, digits, an expression. Values are decimal or 0x hex,
 *            or ranges of them, "3..7"; of floating point also with a tolerance, "1.5~0.01". Of pointers, addresses as
 *            for pidmem_maps_resolve(), ranges of them, or a term as for pidmem_select_add(): pointers into all
 *            regions that it names. A number is in the byte order of this machine. Of rules, the path of their file;
 *            what it includes is sought beside it.
 * @any_case: of text and expressions: letters of ASCII fit in either case
 * @wide:     of text, which is UTF-8, and of strings: in UTF-16, little-endian
 * @least:    of strings: how many characters, at least; 0 means 4
 * @maps:     of pointers: whose names are meant, and how large a pointer is; needed while it is added alone. May be
 *            NULL for addresses of 8 bytes.
 */
struct pidmem_pattern {
	size_t size;
	enum pidmem_pattern_kind kind;
	enum pidmem_value_type type;
	const char *text;
	size_t length;
	bool any_case, wide;
	size_t least;
	const struct pidmem_maps *maps;
};

PIDMEM_API int pidmem_patterns_new(struct pidmem_error *error, struct pidmem_patterns **patterns);
PIDMEM_API void pidmem_patterns_free(struct pidmem_patterns *patterns);
/** pidmem_patterns_add() - one more, with the next number from 0 on. Errors: PIDMEM_USAGE (it makes no sense; of
 * expressions @address is the place in it, of rules the line), PIDMEM_NO_MATCH (no region has that name),
 * PIDMEM_UNSUPPORTED (rules, built without libyara), PIDMEM_SYSTEM (a file of rules cannot be opened). */
PIDMEM_API int pidmem_patterns_add(struct pidmem_patterns *patterns, const struct pidmem_pattern *pattern,
				   struct pidmem_error *error);
PIDMEM_API size_t pidmem_patterns_count(const struct pidmem_patterns *patterns);

/* What has become of the bytes of an earlier match. */
enum pidmem_change {
	PIDMEM_ANY_CHANGE, /* whatever */
	PIDMEM_CHANGED,
	PIDMEM_UNCHANGED,
	PIDMEM_INCREASED, /* of values alone, and so is the next */
	PIDMEM_DECREASED,
};

/**
 * struct pidmem_find_options - how to look
 * @size:     sizeof this structure
 * @align:    tell matches alone whose address is a multiple of it; 0 and 1: all
 * @context:  bytes before and behind each match to have with it, as far as they are contiguous; at most 4096
 * @swapped:  read what is in swap as well, see PIDMEM_WALK_NO_SWAP
 * @limit:    end after so many matches; 0: never
 * @earlier:  path of a file of matches that were saved: look at their places alone. A match there is one of any
 *            pattern; without patterns, one whose bytes have changed as @change says
 * @change:   see there
 * @save:     path of a file to save all matches in, to be narrowed later; made as those of pidmem_dump() when
 *            pidmem_find_next() has returned 0
 * @force:    replace an existing file
 * @progress, @user: as in struct pidmem_dump_options
 */
struct pidmem_find_options {
	size_t size;
	uint64_t align;
	size_t context;
	bool swapped;
	uint64_t limit;
	const char *earlier;
	enum pidmem_change change;
	const char *save;
	bool force;
	int (*progress)(void *user, const struct pidmem_progress *progress);
	void *user;
};

/**
 * struct pidmem_match - one match
 * @address, @length: where it is; no match is longer than 64 KiB: of what could be, the beginning is told
 * @pattern: its number, of rules that of their file; that of the first one that fits, if there are several and @earlier
 * was given
 * @region:  that holds its first byte; owned by the source
 * @bytes:   @before bytes of context, @length of the match, @behind of context; valid until the next call
 * @was, @was_length: with @earlier, the bytes that were there; else NULL
 * @rule, @string: of rules of YARA, the name of the one that fits, and the identifier of its string ($a); else NULL.
 *            Of a rule that fits without any match there is one without @string, @region and @length, behind all others
 */
struct pidmem_match {
	uint64_t address;
	size_t length, pattern;
	const struct pidmem_region *region;
	const unsigned char *bytes;
	size_t before, behind;
	const unsigned char *was;
	size_t was_length;
	const char *rule, *string;
};

struct pidmem_find;

/**
 * pidmem_find_open() - look for patterns in all that is selected, or among earlier matches
 * @account: every span that is looked at is added to it, and what is not looked at because of the options; must stay
 *
 * What is found may cross the borders of pages and of regions that touch. Zeros are content like any other, also those
 * of memory that was never touched; nothing is faulted in for it. Expressions look ahead by 64 KiB. Rules of YARA stand
 * alone: no other patterns, and not @earlier; their matches are known when the first one is asked for, and all memory
 * has been looked at by then. The source,
 * patterns (to which nothing may be added any more) and account are borrowed until it is closed; the source must not be
 * used by others meanwhile. Large windows are looked at in two threads. Errors: PIDMEM_USAGE, PIDMEM_FORMAT (@earlier
 * is no such file), PIDMEM_EXISTS, PIDMEM_SYMLINK, PIDMEM_SYSTEM.
 */
PIDMEM_API int pidmem_find_open(struct pidmem_source *source, struct pidmem_patterns *patterns,
				const struct pidmem_find_options *options, struct pidmem_account *account,
				struct pidmem_error *error, struct pidmem_find **find);
PIDMEM_API void pidmem_find_close(struct pidmem_find *find);
/** pidmem_find_type() - of the values that are found: that of the patterns, without any that of the earlier matches;
 * PIDMEM_TYPE_NONE if they are of several types, or no values */
PIDMEM_API enum pidmem_value_type pidmem_find_type(const struct pidmem_find *find);

/** pidmem_find_next() - the next match, by address. Errors: PIDMEM_CANCELLED, PIDMEM_GONE, PIDMEM_EXECED,
 * PIDMEM_FORMAT, PIDMEM_UNSUPPORTED (an expression takes too many steps, or too long), PIDMEM_LIMIT (rules take too
 * long: more than a minute for 16 MiB; or a string of theirs is found more than a million times), PIDMEM_SYSTEM. */
PIDMEM_API int pidmem_find_next(struct pidmem_find *find, struct pidmem_error *error, struct pidmem_match *match);

/* ----------------------------------------------------------------------------------------- comparing --- */

enum pidmem_difference_kind {
	PIDMEM_WENT,         /* mapped in the first alone */
	PIDMEM_CAME,         /* mapped in the second alone */
	PIDMEM_REPLACED,     /* another file is mapped, or another part of it */
	PIDMEM_OTHER_RIGHTS, /* permissions, or whether it is shared */
	PIDMEM_CONTENT,      /* other bytes */
	PIDMEM_MOVED,        /* mapped at another address in the second: mostly the same bytes */
};
/** pidmem_difference_name() - "went", "came", "replaced", "rights", "content", "moved". */
PIDMEM_API const char *pidmem_difference_name(enum pidmem_difference_kind kind);

/** struct pidmem_diff_options - how to compare; as in struct pidmem_find_options. */
struct pidmem_diff_options {
	size_t size;
	bool swapped;
	int (*progress)(void *user, const struct pidmem_progress *progress);
	void *user;
};

#define PIDMEM_DIFF_BYTES 64
/**
 * struct pidmem_difference - a range that is not the same in both
 * @regions: of the first and the second source, that hold its first byte; NULL where there is none
 *           Of PIDMEM_MOVED the whole regions: @address is where it is in the second
 * @changed: of PIDMEM_MOVED, bytes in it that are not the same; not known if @known is 0, because none could be
 * compared
 * @before, @after: of PIDMEM_CONTENT, the first @known bytes of it in both, at most PIDMEM_DIFF_BYTES; valid until the
 *           next call
 */
struct pidmem_difference {
	enum pidmem_difference_kind kind;
	uint64_t address, size;
	const struct pidmem_region *regions[2];
	const unsigned char *before, *after;
	size_t known;
	uint64_t changed;
};

/**
 * struct pidmem_diff_report - what was compared; in bytes
 * @size:         sizeof this structure: set by the caller, PIDMEM_INIT
 * @compared:     both sources have content there
 * @changed:      of that, bytes that are not the same
 * @not_compared: mapped in both, but only one of them has or tells the content
 */
struct pidmem_diff_report {
	size_t size;
	uint64_t compared, changed, not_compared;
};

struct pidmem_diff;

/**
 * pidmem_diff_open() - compare what two sources hold at the same addresses
 * @one_account, @other_account: every span of each is added to its own; must stay
 *
 * The sources are borrowed until it is closed, and must be different ones; of different processes, programs or moments
 * as may be. Errors: PIDMEM_USAGE, PIDMEM_SYSTEM.
 */
PIDMEM_API int pidmem_diff_open(struct pidmem_source *one, struct pidmem_source *other,
				const struct pidmem_diff_options *options, struct pidmem_account *one_account,
				struct pidmem_account *other_account, struct pidmem_error *error,
				struct pidmem_diff **diff);
PIDMEM_API void pidmem_diff_close(struct pidmem_diff *diff);
/** pidmem_diff_next() - the next difference: those of regions first, by address, then those of content at the same
 * addresses. Changes with
 * fewer than 16 equal bytes between them are one, within a page. Errors: as pidmem_walk_next(), PIDMEM_CANCELLED. */
PIDMEM_API int pidmem_diff_next(struct pidmem_diff *diff, struct pidmem_error *error,
				struct pidmem_difference *difference);
/** pidmem_diff_describe() - so far. */
PIDMEM_API int pidmem_diff_describe(const struct pidmem_diff *diff, struct pidmem_error *error,
				    struct pidmem_diff_report *report);

/* ---------------------------------------------------------------------------------------------- survey --- */

struct pidmem_survey;

/* Bytes of a cell that are kept, so that it can be shown what is there. */
#define PIDMEM_SURVEY_SAMPLE 32

/**
 * struct pidmem_survey_cell - a part of the address space that holds something; sizes in bytes
 * @start, @size: the range, aligned to its size, which is the same for all cells
 * @region:     the index in pidmem_source_maps() of the region that begins it; a large cell may hold several
 * @read, @unreadable: of these classes
 * @zero:       known to be zero and in memory or in swap; what was never touched is not counted here
 * @resident, @swapped: in memory and in swap, through the mappings of the process
 * @looked:     bytes of @read that the next four are about: all where cells are small, an eighth where they are large
 * @zeros, @text, @high: bytes that are 0; printable ASCII and white space; 0x80 and above
 * @pointers:   bytes of aligned words of eight that may point to something mapped
 * @changed:    bytes that differ from the source @before, or are new
 * @uncompared: bytes of @read whose content @before does not have: whether they changed is not known
 * @entropy:    Shannon's, in bits for each byte: the mean of blocks of 4 KiB, of one block in 32 where cells are
 *              large, and of the first that is there; -1 if no content was looked at
 * @sample_start, @sample_size, @sample: the first bytes from the first 16 that are not all zero
 */
struct pidmem_survey_cell {
	uint64_t start, size;
	size_t region;
	uint64_t read, zero, unreadable, resident, swapped;
	uint64_t looked, zeros, text, high, pointers;
	uint64_t changed, uncompared;
	double entropy;
	uint64_t sample_start;
	size_t sample_size;
	unsigned char sample[PIDMEM_SURVEY_SAMPLE];
};

/**
 * struct pidmem_survey_region - the same of a region, by enum pidmem_class
 * @zero:   of by_class[PIDMEM_ZERO], what is in memory or in swap: the sum of the cells
 * @is_new: no region of @before overlaps it
 */
struct pidmem_survey_region {
	uint64_t by_class[PIDMEM_CLASSES];
	uint64_t zero, resident, swapped, changed;
	bool is_new;
};

/**
 * struct pidmem_survey_options - how to look
 * @size:     sizeof this structure
 * @cells:    at most so many, from 1024 to 2^20; 0 means 32768. They are as small as that allows, 4 KiB at least
 * @before:   another source to compare with, or NULL; borrowed during the call
 * @progress: called now and then; a return value other than 0 cancels (may be NULL)
 * @user:     first argument of @progress
 */
struct pidmem_survey_options {
	size_t size;
	size_t cells;
	struct pidmem_source *before;
	int (*progress)(void *user, const struct pidmem_progress *progress);
	void *user;
};

/**
 * pidmem_survey_new() - read everything once, and keep what it takes to draw a picture of it
 * @account: every span is added to it
 *
 * Memory use follows the number of cells and regions, not of bytes. What is resident is looked up in the process
 * when its bytes are read; a file does not tell. The regions are those of @source, which must not be refreshed while
 * the survey is used. Errors: PIDMEM_USAGE, PIDMEM_CANCELLED, PIDMEM_GONE, PIDMEM_EXECED, PIDMEM_SYSTEM.
 */
PIDMEM_API int pidmem_survey_new(struct pidmem_source *source, const struct pidmem_survey_options *options,
				 struct pidmem_account *account, struct pidmem_error *error,
				 struct pidmem_survey **survey);
PIDMEM_API void pidmem_survey_free(struct pidmem_survey *survey);
PIDMEM_API size_t pidmem_survey_count(const struct pidmem_survey *survey);
/** pidmem_survey_get() - the cell at @index, in the order of addresses, or NULL past the end; owned by the survey. */
PIDMEM_API const struct pidmem_survey_cell *pidmem_survey_get(const struct pidmem_survey *survey, size_t index);
/** pidmem_survey_get_region() - of the region of this index, or NULL past the end; owned by the survey. */
PIDMEM_API const struct pidmem_survey_region *pidmem_survey_get_region(const struct pidmem_survey *survey,
								       size_t index);
/** pidmem_survey_has_residence() - are @resident and @swapped known? */
PIDMEM_API bool pidmem_survey_has_residence(const struct pidmem_survey *survey);

/* ---------------------------------------------------------------------------------------------- output --- */

struct pidmem_output;

/**
 * pidmem_output_open() - begin a file of the caller's own, written as pidmem_dump() writes its files
 *
 * Mode 0600, never through a symbolic link, never over an existing file unless @force; it has its name only after
 * pidmem_output_finish(), and without that pidmem_output_close() leaves nothing behind. A device or pipe that exists is
 * written to as a stream. One thread at a time. Errors: PIDMEM_EXISTS, PIDMEM_SYMLINK, PIDMEM_SYSTEM.
 */
PIDMEM_API int pidmem_output_open(const char *path, bool force, struct pidmem_error *error,
				  struct pidmem_output **output);
PIDMEM_API int pidmem_output_write(struct pidmem_output *output, const void *bytes, size_t size,
				   struct pidmem_error *error);
PIDMEM_API int pidmem_output_finish(struct pidmem_output *output, struct pidmem_error *error);
PIDMEM_API void pidmem_output_close(struct pidmem_output *output);

/* ---------------------------------------------------------------------------------------------- access --- */

/* Why a process cannot be read, in the order in which they are looked at. */
enum pidmem_cause {
	PIDMEM_CAUSE_NONE,
	PIDMEM_CAUSE_NO_SUCH_PROCESS,
	PIDMEM_CAUSE_HIDEPID,
	PIDMEM_CAUSE_KERNEL_THREAD,
	PIDMEM_CAUSE_ZOMBIE,
	PIDMEM_CAUSE_OTHER_USER,
	PIDMEM_CAUSE_NOT_DUMPABLE,
	PIDMEM_CAUSE_MISSING_CAPABILITY,
	PIDMEM_CAUSE_USER_NAMESPACE,
	PIDMEM_CAUSE_YAMA_SCOPE,
	PIDMEM_CAUSE_LSM,
	PIDMEM_CAUSE_ALREADY_TRACED,
	PIDMEM_CAUSE_SECCOMP,
	PIDMEM_CAUSE_MEM_RESTRICTED,
};
#define PIDMEM_CAUSES 14
/** pidmem_cause_name() - "no-such-process", "hidepid", "kernel-thread", "zombie", "other-user", "not-dumpable",
 * "missing-capability", "user-namespace", "yama-scope", "lsm", "already-traced", "seccomp", "mem-restricted". */
PIDMEM_API const char *pidmem_cause_name(enum pidmem_cause cause);

enum pidmem_verdict {
	PIDMEM_PASSED,  /* checked: not in the way */
	PIDMEM_LIMITS,  /* reading works, but something less does: @fact says what */
	PIDMEM_REFUSES, /* checked: this is (one of) the cause(s) */
	PIDMEM_UNKNOWN, /* could not be checked, or does not apply */
};

/** struct pidmem_check - one check: what was looked at, what was found, and the way out. */
struct pidmem_check {
	enum pidmem_cause cause;
	enum pidmem_verdict verdict;
	char fact[256];
	char fix[256];
};

/**
 * struct pidmem_access - what may be done with a process, and if not, why
 * @size:     sizeof this structure: set by the caller, PIDMEM_INIT
 * @readable: its memory can be read by this caller
 * @maps, @mem, @pagemap: the files of /proc/PID could be opened
 * @ptrace:   it could be attached to (derived from facts: nothing is attached to find out)
 * @checks:   every check, in order; those with PIDMEM_REFUSES are the causes, the first one is the real one
 */
struct pidmem_access {
	size_t size;
	bool readable;
	bool maps, mem, ptrace, pagemap;
	char name[64];
	size_t count;
	struct pidmem_check checks[PIDMEM_CAUSES];
};

/** pidmem_access_check() - find out, from facts checked on this machine; changes nothing. Errors: PIDMEM_USAGE,
 * PIDMEM_SYSTEM; a process that does not exist is a result, not an error. */
PIDMEM_API int pidmem_access_check(pid_t pid, const struct pidmem_open_options *options, struct pidmem_error *error,
				   struct pidmem_access *access);

#ifdef __cplusplus
}
#endif
#endif
