/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libyara brings libcrypto and libmagic along, 3 MiB and twice the time that pidmem takes to start: so it is loaded
 * when there are rules. */
#ifndef FIND_YARA_H
#define FIND_YARA_H

#include <yara.h>

#ifndef YARA_SONAME /* meson.build knows it: the one that the header belongs to */
#define YARA_SONAME "libyara.so"
#endif

#define YARA_CALLS(call)                  \
	call(yr_initialize);              \
	call(yr_finalize);                \
	call(yr_compiler_create);         \
	call(yr_compiler_destroy);        \
	call(yr_compiler_set_callback);   \
	call(yr_compiler_add_file);       \
	call(yr_compiler_get_rules);      \
	call(yr_rules_destroy);           \
	call(yr_scanner_create);          \
	call(yr_scanner_destroy);         \
	call(yr_scanner_set_callback);    \
	call(yr_scanner_set_flags);       \
	call(yr_scanner_set_timeout);     \
	call(yr_scanner_scan_mem_blocks); \
	call(yr_scanner_last_error_string)

#define YARA_MEMBER(function) __typeof__(&(function)) function
struct yara {
	YARA_CALLS(YARA_MEMBER);
};

/* Its functions, or NULL if the version that pidmem was built with is not installed. From any thread. */
const struct yara *yara_load(void);

#endif
