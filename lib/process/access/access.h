/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PROCESS_ACCESS_H
#define PROCESS_ACCESS_H

#include "process/access/facts.h"

/** access_judge() - the diagnosis from facts alone: pure, so that tests can pose what no machine at hand does. */
void access_judge(const struct facts *facts, struct pidmem_access *access);

#endif
