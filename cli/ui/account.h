/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The account of a run: for scripts, in one sentence, and what could not be read. */
#ifndef UI_ACCOUNT_H
#define UI_ACCOUNT_H

#include "command.h"

struct target;

/* The members "account" and "holes". */
void account_json(const struct pidmem_account *account);

/*
 * "1.9 GiB read, 6.1 GiB zero (holes), 28 KiB of the kernel, 8 KiB guard pages, nothing unreadable", without a newline;
 * `zeros` are "zero (holes)" here.
 */
void account_sentence(const struct pidmem_account *account, const char *zeros);

/* Warn of what has no content and of what was left out, a line for each reason. */
void account_warn(const struct pidmem_account *account);

/* Tell on stderr what has content and could not be read, and why. EXIT_INCOMPLETE if there was any, else EXIT_DONE. */
int account_status(const struct pidmem_account *account, const struct target *target);

#endif
