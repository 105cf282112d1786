/* commands: revocations on their way into force. See commands.h. */
#include "broker/hub/commands.h"

#include <assert.h>

#include "broker/hub/commit.h"
#include "broker/hub/hub_state.h"
#include "broker/hub/publisher.h"
#include "broker/hub/store_revocations.h"
#include "broker/shared/bell.h"
#include "broker/shared/link.h"
#include "broker/shared/log.h"

enum {
	COMMAND_MS = 5000,  /* longest wait for a stuck worker */
	FORGET_ROWS = 1024, /* per second */
};

static struct command *
command_at(struct commands *commands, size_t index)
{
	return &commands->open[(commands->first + index) % BOARD_WITHDRAWALS];
}

int
commands_start(struct hub *hub)
{
	uint64_t newest;

	if (store_count_revocations(hub->store, &newest) == -1)
		return -1;
	board_set_revocation(&hub->heritage->board, newest);
	return 0;
}

bool
commands_room(const struct commands *commands)
{
	return commands->count < BOARD_WITHDRAWALS;
}

/* It is in the store: shows it, and waits until it holds. */
static void
announce(struct hub *hub, const struct command *command)
{
	struct commands *commands = &hub->commands;
	const struct heritage *heritage = hub->heritage;

	assert(commands_room(commands));
	commands->count++;
	*command_at(commands, commands->count - 1) = *command;
	board_set_revocation(&hub->heritage->board, command->number);
	bell_ring_sleepers(
	    &heritage->board, heritage->worker_bells, heritage->workers);
	hub_count(hub, METRIC_COMMANDS, 1);
}

static struct slice
everything(void)
{
	return slice_of_text("*");
}

static void
withdraw(struct hub *hub, struct command *command,
    const struct store_revocation *revocation)
{
	switch (store_revoke(hub->store, revocation,
	    hub->config->auth_max_revocations, &command->number)) {
	case 1:
		announce(hub, command);
		break;
	case 0:
		publisher_fail_command(command->publisher, command->id,
		    (struct fault){REFUSAL_FULL, "user"});
		break;
	default:
		hub_count(hub, METRIC_STORE_FAILURES, 1);
		publisher_fail_command(command->publisher, command->id,
		    (struct fault){REFUSAL_STORE, NULL});
	}
}

static void
give_back(struct hub *hub, struct command *command,
    const struct store_revocation *revocation)
{
	int64_t restored =
	    store_restore(hub->store, revocation, &command->number);

	if (restored == -1) {
		hub_count(hub, METRIC_STORE_FAILURES, 1);
		publisher_fail_command(command->publisher, command->id,
		    (struct fault){REFUSAL_STORE, NULL});
	} else if (restored == 0) {
		publisher_done_command(command->publisher, command->id, 0, 0);
	} else {
		command->restored = (uint64_t)restored;
		announce(hub, command);
	}
}

/* The supervisor ends the workers first: the answer goes out before the hub
 * does. */
static void
drain(struct hub *hub, const struct command *command)
{
	const struct heritage *heritage = hub->heritage;
	uint64_t streams = board_sum(&heritage->board, METRIC_STREAMS);

	if (link_ask_end(heritage->control_fd) == -1) {
		publisher_fail_command(command->publisher, command->id,
		    (struct fault){REFUSAL_SHUTDOWN, NULL});
		return;
	}
	log_info("told to drain by a publisher");
	hub_count(hub, METRIC_COMMANDS, 1);
	publisher_done_command(command->publisher, command->id, streams, 0);
}

static struct fault
check(struct publisher *publisher, const struct message *message)
{
	if (!rules_allow_commands(publisher_rules(publisher)))
		return (struct fault){REFUSAL_NOT_ALLOWED, "command"};
	return message_check_command(message);
}

void
commands_take(
    struct hub *hub, struct publisher *publisher, const struct message *message)
{
	struct fault fault = check(publisher, message);
	struct store_revocation revocation = {
	    .user = message->user,
	    .pattern =
		message->pattern.len > 0 ? message->pattern : everything(),
	    .now_ms = hub_now_ms(),
	};
	struct command command = {
	    .publisher = publisher,
	    .id = message->id,
	    .deadline_ms = hub_steady_ms() + COMMAND_MS,
	};

	/* What was sent before it is answered before it. */
	hub_commit(hub);
	if (fault.refusal == REFUSAL_NOT_ALLOWED)
		hub_count(hub, METRIC_NOT_ALLOWED, 1);
	if (fault.refusal != REFUSAL_NONE)
		publisher_fail_command(publisher, message->id, fault);
	else if (message->command == MESSAGE_TRACE ||
		 message->command == MESSAGE_EXPLAIN)
		traces_take(hub, publisher, message);
	else if (message->command == MESSAGE_DRAIN)
		drain(hub, &command);
	else if (message->command == MESSAGE_RESTORE)
		give_back(hub, &command, &revocation);
	else
		withdraw(hub, &command, &revocation);
	publisher_flush(publisher);
}

static void
answer_first(struct commands *commands, const struct board *board)
{
	struct command *first = command_at(commands, 0);

	if (first->publisher != NULL) {
		publisher_done_command(first->publisher, first->id,
		    first->restored + board_withdrawn(board, first->number),
		    board_unrevoked(board, first->number));
		publisher_flush(first->publisher);
	}
	commands->first = (commands->first + 1) % BOARD_WITHDRAWALS;
	commands->count--;
}

void
commands_answer(struct hub *hub)
{
	struct commands *commands = &hub->commands;
	const struct board *board = &hub->heritage->board;

	while (commands->count > 0) {
		const struct command *first = command_at(commands, 0);

		if (board_unrevoked(board, first->number) > 0 &&
		    hub_steady_ms() < first->deadline_ms)
			break;
		answer_first(commands, board);
	}
}

void
commands_tick(struct hub *hub)
{
	uint64_t now_ms = hub_now_ms();
	uint64_t age_ms = hub->config->auth_revocations_max_age;

	commands_answer(hub);
	if (now_ms > age_ms && store_forget_revocations(hub->store,
				   now_ms - age_ms, FORGET_ROWS) == -1)
		hub_count(hub, METRIC_STORE_FAILURES, 1);
}

void
commands_drop(struct commands *commands, const struct publisher *gone)
{
	for (size_t i = 0; i < commands->count; i++) {
		struct command *command = command_at(commands, i);

		if (command->publisher == gone)
			command->publisher = NULL;
	}
}
