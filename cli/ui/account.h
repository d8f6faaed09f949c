/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The account of a run: for scripts, in one sentence, and what could not be read. */
#ifndef UI_ACCOUNT_H
#define UI_ACCOUNT_H

#include "command.h"

/* The members "account" and "holes". */
void account_json(const struct pidmem_account *account);

/* "1.9 GiB read, 6.1 GiB zero (holes), 8 KiB guard pages, nothing unreadable", without a newline. */
void account_sentence(const struct pidmem_account *account);

/* Tell on stderr what has content and could not be read, and why. EXIT_INCOMPLETE if there was any, else EXIT_DONE. */
int account_status(const struct pidmem_account *account);

#endif
