/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON values that are let go at the end of a function. */
#ifndef FORMAT_JSON_H
#define FORMAT_JSON_H

#include <jansson.h>

#include "base/cleanup.h"

DEFINE_CLEANUP(cleanup_json, json_t *, json_decref)
#define AUTO_JSON CLEANUP(cleanup_json) json_t *

#endif
