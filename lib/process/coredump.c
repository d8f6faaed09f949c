/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/coredump.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/error.h"
#include "process/maps.h"
#include "process/process.h"

static enum coredump_extent whole_if(bool wanted)
{
	return wanted ? COREDUMP_WHOLE : COREDUMP_NOTHING;
}

enum coredump_extent coredump_rule(const struct coredump_facts *facts, unsigned filter)
{
	if (facts->kernel)
		return COREDUMP_WHOLE;
	if (facts->vm_flags & PIDMEM_VM_DONTDUMP)
		return COREDUMP_NOTHING;
	if (facts->vm_flags & PIDMEM_VM_HUGETLB)
		return whole_if(filter & (facts->shared ? COREDUMP_HUGETLB_SHARED : COREDUMP_HUGETLB_PRIVATE));
	if (facts->vm_flags & PIDMEM_VM_IO)
		return COREDUMP_NOTHING;
	if (facts->shared)
		return whole_if(filter & (facts->unlinked ? COREDUMP_ANON_SHARED : COREDUMP_MAPPED_SHARED));
	if (facts->written && filter & COREDUMP_ANON_PRIVATE)
		return COREDUMP_WHOLE;
	if (!facts->file)
		return COREDUMP_NOTHING;
	if (filter & COREDUMP_MAPPED_PRIVATE)
		return COREDUMP_WHOLE;
	if (!(filter & COREDUMP_ELF_HEADERS) || !facts->header)
		return COREDUMP_NOTHING;
	return facts->executable ? COREDUMP_PAGE : COREDUMP_PAGE_IF_ELF;
}

void coredump_gather(struct pidmem_process *process, const struct pidmem_region *region,
		     const struct pidmem_usage *usage, struct coredump_facts *facts)
{
	struct coredump_facts found = {
		.kernel = region->kind == PIDMEM_KIND_VDSO || !strcmp(region->path, "[uprobes]"),
		.shared = region->perms & PIDMEM_PERM_SHARED,
		.file = region->inode || region->dev_major || region->dev_minor,
		.unlinked = region->deleted,
		.written = !usage || usage->anonymous || usage->swap,
		.header = region->offset == 0 && region->perms & PIDMEM_PERM_READ,
		.vm_flags = usage ? usage->flags : 0,
	};
	/* Looking at the file costs: only where it makes a difference. A file that has its name has a link. */
	bool asks_links = found.shared && region->deleted;
	bool asks_mode = !found.shared && found.file && found.header;
	struct stat status;

	if ((asks_links || asks_mode) && process_stat_mapped(process, region, &status)) {
		found.unlinked = status.st_nlink == 0;
		found.executable = status.st_mode & 0111;
	}
	*facts = found;
}

int coredump_filter_read(struct pidmem_process *process, struct pidmem_error *error, unsigned *filter)
{
	AUTO_BUFFER text = { 0 };
	int result = buffer_read_file(&text, process->memory_dir, "coredump_filter");
	char *end;

	if (result == -ESRCH || (result == 0 && text.size == 0)) /* it has no memory any more */
		return fail(error, PIDMEM_GONE, ESRCH, "process %d (%s) has ended", process->pid, process->name);
	if (result == -ENOENT) { /* a kernel without core files (CONFIG_ELF_CORE) */
		*filter = COREDUMP_DEFAULT;
		return 0;
	}
	if (result < 0)
		return fail_sys(error, -result, "/proc/%d/coredump_filter", process->pid);
	errno = 0;
	unsigned long value = strtoul(text.bytes, &end, 16);
	if (errno || end == text.bytes || *end != '\n' || value > UINT32_MAX)
		return fail(error, PIDMEM_FORMAT, EBADMSG, "/proc/%d/coredump_filter is not understood", process->pid);
	*filter = (unsigned)value;
	return 0;
}
