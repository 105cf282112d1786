/* heritage: the child's word to the supervisor. See heritage.h. */
#include "broker/shared/heritage.h"

#include <unistd.h>

#include "broker/shared/log.h"

void
heritage_say_ready(struct heritage *heritage)
{
	board_set_alive(&heritage->board);
	if (write(heritage->ready_fd, "\n", 1) != 1)
		log_warn("could not tell the supervisor: not waited for");
	close(heritage->ready_fd);
	heritage->ready_fd = -1;
}
