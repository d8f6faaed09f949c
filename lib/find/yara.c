/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "find/yara.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>

static struct yara library;
static bool complete;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* It stays: what it brings along is not made for being unloaded. */
static void load(void)
{
	void *handle = dlopen(YARA_SONAME, RTLD_NOW | RTLD_LOCAL);

	complete = handle;
#define LOAD(function)                                                                             \
	library.function = handle ? (__typeof__(library.function))dlsym(handle, #function) : NULL; \
	complete = complete && library.function
	YARA_CALLS(LOAD);
}

const struct yara *yara_load(void)
{
	return pthread_once(&once, load) == 0 && complete ? &library : NULL;
}
