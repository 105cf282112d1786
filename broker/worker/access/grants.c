/* grants: what a caller may subscribe to. See grants.h. */
#include "broker/worker/access/grants.h"

#include "broker/shared/auth_template.h"
#include "broker/shared/config.h"
#include "broker/worker/access/authority.h"
#include "broker/worker/access/revoked.h"
#include "broker/worker/worker_state.h"

/* A list that is being filled, and whether that failed. */
struct filling {
	struct patterns *list;
	int result;
};

static void
add(struct slice pattern, void *context)
{
	struct filling *filling = context;

	if (filling->result == 0)
		filling->result = patterns_add(filling->list, pattern);
}

static int
fill(struct patterns *list, const struct config_list *templates,
    const struct auth_token *token)
{
	struct filling filling = {.list = list};

	for (size_t i = 0; i < templates->count && filling.result == 0; i++)
		auth_template_fill(
		    slice_of_text(templates->items[i]), token, add, &filling);
	return filling.result;
}

static int
add_all(struct patterns *list, const struct slice *patterns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (patterns_add(list, patterns[i]) == -1)
			return -1;
	}
	return 0;
}

static int
collect_revoked(struct grants *grants, const struct worker *worker,
    const struct authority *authority)
{
	struct filling filling = {.list = &grants->revoked};

	revoked_each(worker->revoked, authority->user, authority->issued_ms,
	    add, &filling);
	return filling.result;
}

int
grants_collect(struct grants *grants, const struct worker *worker,
    const struct config_stream *block, const struct authority *authority)
{
	const struct auth_token *token =
	    authority != NULL ? authority->token : NULL;

	if (fill(&grants->fixed, &block->channels, token) == -1 ||
	    fill(&grants->preset, &block->default_channels, token) == -1 ||
	    fill(&grants->allowed, &block->allow, token) == -1 ||
	    add_all(&grants->allowed, grants->fixed.list,
		grants->fixed.count) == -1 ||
	    add_all(&grants->allowed, grants->preset.list,
		grants->preset.count) == -1)
		return -1;
	if (authority == NULL)
		return 0;
	if (add_all(&grants->allowed, authority->subscribe,
		authority->subscribe_count) == -1)
		return -1;
	return collect_revoked(grants, worker, authority);
}

void
grants_finish(struct grants *grants)
{
	patterns_finish(&grants->fixed);
	patterns_finish(&grants->preset);
	patterns_finish(&grants->allowed);
	patterns_finish(&grants->revoked);
}

bool
grants_allow(const struct grants *grants, struct slice pattern)
{
	return patterns_cover(&grants->allowed, pattern) &&
	       !patterns_cover(&grants->revoked, pattern);
}
