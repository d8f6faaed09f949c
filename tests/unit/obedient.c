/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "obedient.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/freeze.h"
#include "unit.h"

__attribute__((noreturn)) static void be_child(const int *pipes, void (*begin)(void), char (*obey)(char order))
{
	char order, answer = 'x';

	begin();
	while (write(pipes[1], &answer, 1) == 1 && read(pipes[0], &order, 1) == 1)
		answer = obey(order);
	_exit(0);
}

int obedient_start(struct obedient *child, void (*begin)(void), char (*obey)(char order))
{
	int orders[2], answers[2];
	char answer;

	if (pipe(orders) < 0 || pipe(answers) < 0)
		return -1;
	child->pid = fork();
	if (child->pid == 0) {
		close(orders[1]);
		be_child((const int[]){ orders[0], answers[1] }, begin, obey);
	}
	close(orders[0]);
	close(answers[1]);
	child->orders = orders[1];
	child->answers = answers[0];
	return read(child->answers, &answer, 1) == 1 ? pidmem_process_open(child->pid, NULL, NULL, &child->process)
						     : -1;
}

void obedient_freeze(struct pidmem_freeze *freeze, const struct obedient *children, size_t count)
{
	for (freeze->given = 0; freeze->given < count; freeze->given++)
		assert_int_equal(freeze_add(freeze, children[freeze->given].process, false, NULL), 0);
	assert_int_equal(guard_start(NULL, &freeze->guard), 0);
	assert_int_equal(freeze_prepare(freeze, NULL), 0);
	assert_int_equal(freeze_precopy(freeze, NULL), 0);
}

char obedient_order(const struct obedient *child, char order)
{
	char answer;

	assert_int_equal(write(child->orders, &order, 1), 1);
	assert_int_equal(read(child->answers, &answer, 1), 1);
	return answer;
}

void obedient_stop(struct obedient *child)
{
	pidmem_process_close(child->process);
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	close(child->orders);
	close(child->answers);
}
