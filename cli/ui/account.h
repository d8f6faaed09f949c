/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The account of a run: for scripts, in one sentence, and what could not be read. */
#ifndef UI_ACCOUNT_H
#define UI_ACCOUNT_H

#include "command.h"

struct target;

#define ACCOUNT_REASONS 32

/* What has one reason, taken together. */
struct reason {
	uint64_t size, first, count;
};

/* By enum pidmem_why. The account itself does not tell why something was left out. */
struct reasons {
	struct reason of[ACCOUNT_REASONS];
};

/* Count a range; ranges come in the order of addresses. */
void reasons_add(struct reasons *reasons, enum pidmem_why why, uint64_t start, uint64_t size);

/* The members "account" and "holes". */
void account_json(const struct pidmem_account *account);

/*
 * "1.9 GiB read, 6.1 GiB zero (holes), 28 KiB of the kernel, 8 KiB guard pages, nothing unreadable", without a newline.
 */
void account_sentence(const struct pidmem_account *account, const struct reasons *left_out);

/* Warn of what has no content and of what was left out, a line for each reason. */
void account_warn(const struct pidmem_account *account, const struct reasons *left_out);

/* Tell on stderr what has content and could not be read, and why. EXIT_INCOMPLETE if there was any, else EXIT_DONE. */
int account_status(const struct pidmem_account *account, const struct target *target);

#endif
