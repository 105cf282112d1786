/* publisher_answer: what a publisher is told. See publisher.h. */
#include "broker/hub/publisher.h"
#include "broker/shared/board.h"
#include "protocol/buf.h"

void
publisher_welcome(struct publisher *publisher, struct slice name,
    const struct store_publisher *known, uint64_t max_event)
{
	identity_begin(publisher_identity(publisher), name, known);
	message_write(publisher_out(publisher), &(struct message){
						    .type = MESSAGE_WELCOME,
						    .version = MESSAGE_VERSION,
						    .last_seq = known->last_seq,
						    .max_event = max_event,
						    .window = MESSAGE_WINDOW,
						});
	publisher_flush(publisher);
}

void
publisher_ack(
    struct publisher *publisher, uint64_t seq, uint64_t cursor, bool duplicate)
{
	message_write(publisher_out(publisher), &(struct message){
						    .type = MESSAGE_ACK,
						    .seq = seq,
						    .cursor = cursor,
						    .duplicate = duplicate,
						});
}

void
publisher_refuse(struct publisher *publisher, uint64_t seq, struct fault fault)
{
	message_write(publisher_out(publisher),
	    &(struct message){
		.type = MESSAGE_ERROR,
		.seq = seq,
		.code = slice_of_text(refusal_code(fault.refusal)),
		.field = slice_of_text(fault.field != NULL ? fault.field : ""),
		.text = slice_of_text(refusal_sentence(fault.refusal)),
	    });
}

void
publisher_receipt(struct publisher *publisher, uint64_t seq, uint64_t notified)
{
	message_write(publisher_out(publisher), &(struct message){
						    .type = MESSAGE_RECEIPT,
						    .seq = seq,
						    .notified = notified,
						});
}

void
publisher_receipt_counts(struct publisher *publisher, uint64_t seq,
    const struct board_counts *counts, uint64_t late)
{
	message_write(publisher_out(publisher),
	    &(struct message){
		.type = MESSAGE_RECEIPT,
		.seq = seq,
		.notified = counts->written,
		.counted = true,
		.counts =
		    {
			.matched = counts->written + counts->lagging +
				   counts->filtered,
			.lagging = counts->lagging,
			.filtered = counts->filtered,
		    },
		.late = late,
	    });
}

void
publisher_report(struct publisher *publisher, const struct buf *text)
{
	message_write(publisher_out(publisher),
	    &(struct message){
		.type = MESSAGE_REPORT,
		.text = slice_of(buf_bytes(text), buf_length(text)),
	    });
	publisher_flush(publisher);
}

void
publisher_done_command(
    struct publisher *publisher, uint64_t id, uint64_t count, uint64_t late)
{
	message_write(publisher_out(publisher), &(struct message){
						    .type = MESSAGE_DONE,
						    .id = id,
						    .count = count,
						    .late = late,
						});
}

void
publisher_done_trace(struct publisher *publisher, uint64_t id, uint64_t streams,
    uint64_t late, const struct buf *text)
{
	message_write(publisher_out(publisher),
	    &(struct message){
		.type = MESSAGE_DONE,
		.id = id,
		.count = streams,
		.late = late,
		.text = slice_of(buf_bytes(text), buf_length(text)),
	    });
}

void
publisher_fail_command(
    struct publisher *publisher, uint64_t id, struct fault fault)
{
	message_write(publisher_out(publisher),
	    &(struct message){
		.type = MESSAGE_FAILED,
		.id = id,
		.code = slice_of_text(refusal_code(fault.refusal)),
		.field = slice_of_text(fault.field != NULL ? fault.field : ""),
		.text = slice_of_text(refusal_sentence(fault.refusal)),
	    });
}
