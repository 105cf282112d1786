/* admission: tokens, and places in time. See admission.h. */
#include "broker/worker/access/admission.h"

enum { NS_PER_US = 1000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

static uint64_t
later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void
admission_init(struct admission *admission, uint64_t rate, uint64_t burst)
{
	*admission = (struct admission){.interval_ns = 0};
	if (rate == 0)
		return;
	admission->interval_ns = NS_PER_S / rate;
	admission->depth_ns = admission->interval_ns * burst;
}

bool
admission_take(struct admission *admission, uint64_t now_us)
{
	uint64_t now_ns = now_us * NS_PER_US;
	uint64_t full_ns = later(admission->full_ns, now_ns);

	if (admission->interval_ns == 0)
		return true;
	if (full_ns + admission->interval_ns <= now_ns + admission->depth_ns) {
		admission->full_ns = full_ns + admission->interval_ns;
		return true;
	}
	admission->booked_ns =
	    later(admission->booked_ns, now_ns) + admission->interval_ns;
	return false;
}

uint64_t
admission_wait_ms(const struct admission *admission, uint64_t now_us)
{
	uint64_t now_ns = now_us * NS_PER_US;

	return later(admission->booked_ns, now_ns) / NS_PER_MS -
	       now_ns / NS_PER_MS;
}

uint32_t
admission_retry_ms(
    uint64_t base_ms, uint64_t wait_ms, uint64_t max_ms, uint64_t random)
{
	uint64_t delay_ms = base_ms + random % (base_ms + 1) + wait_ms;

	max_ms = later(max_ms, 2 * base_ms);
	if (delay_ms > max_ms)
		delay_ms = max_ms - random % (max_ms / 2 + 1);
	return (uint32_t)delay_ms;
}
