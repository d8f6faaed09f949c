/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page of `report`, from cli/page/ by scripts/embed-page: what stands before the data and behind it. */
#ifndef CLI_PAGE_H
#define CLI_PAGE_H

#include <stddef.h>

extern const unsigned char page_head[], page_tail[];
extern const size_t page_head_size, page_tail_size;

#endif
