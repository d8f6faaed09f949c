/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel interfaces newer than the headers of Debian 12, each with the version that brought it. */
#ifndef PROCESS_KERNEL_H
#define PROCESS_KERNEL_H

#include <linux/fs.h>
#include <stdint.h>
#include <sys/ioctl.h>

/* PAGEMAP_SCAN on /proc/PID/pagemap: Linux 6.7 (commit 52526ca7fdb9). */
#ifndef PAGEMAP_SCAN
#define PAGEMAP_SCAN _IOWR('f', 16, struct pm_scan_arg)
#define PAGE_IS_WPALLOWED (1 << 0)
#define PAGE_IS_WRITTEN (1 << 1)
#define PAGE_IS_FILE (1 << 2)
#define PAGE_IS_PRESENT (1 << 3)
#define PAGE_IS_SWAPPED (1 << 4)
#define PAGE_IS_PFNZERO (1 << 5)
#define PAGE_IS_HUGE (1 << 6)
struct page_region {
	uint64_t start, end, categories;
};
struct pm_scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#endif
#ifndef PM_SCAN_WP_MATCHING
#define PM_SCAN_WP_MATCHING (1 << 0)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC /* Linux 6.7 (commit d61ea1cb0095) */
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif
#ifndef PAGE_IS_GUARD /* Linux 6.15 (commit a516403787e0) */
#define PAGE_IS_GUARD (1 << 8)
#endif

/* Bits of the 64-bit entries of /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst. */
#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGEMAP_SWAPPED (1ULL << 62)
#define PAGEMAP_FILE (1ULL << 61)
#define PAGEMAP_GUARD (1ULL << 58)     /* Linux 6.15 */
#define PAGEMAP_EXCLUSIVE (1ULL << 56) /* mapped by this process alone; Linux 4.2 */

/* PROCMAP_QUERY on /proc/PID/maps: Linux 6.11 (commit ed5d583a88a9). */
#ifndef PROCMAP_QUERY
#define PROCMAP_QUERY _IOWR('f', 17, struct procmap_query)
#define PROCMAP_QUERY_VMA_SHARED 0x08
#define PROCMAP_QUERY_COVERING_OR_NEXT_VMA 0x10
struct procmap_query {
	uint64_t size, query_flags, query_addr, vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
	uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
	uint64_t vma_name_addr, build_id_addr;
};
#endif

#endif
