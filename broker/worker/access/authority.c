/*
 * authority: who a request speaks for. See authority.h.
 *
 * The keys are those of the vault. They are read anew when it has changed,
 * which is looked at every second and before each token; should they be no
 * good, which the supervisor prevents, the old ones stay.
 */
#include "broker/worker/access/authority.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "broker/shared/auth_keys.h"
#include "broker/shared/log.h"
#include "broker/worker/access/revoked.h"
#include "broker/worker/connection.h"
#include "broker/worker/http/bearer.h"
#include "broker/worker/reply.h"
#include "broker/worker/worker_state.h"

/* --- keys --- */

/* Reads the keys that a copy of the vault holds. */
static void
take_keys(struct worker *worker, const struct vault_copy *copy)
{
	struct auth_source sources[VAULT_ITEMS_MAX];
	struct auth_notes notes = {.note = NULL};
	struct auth_keys *keys;
	const char *why;
	size_t bad;

	for (size_t i = 0; i < copy->count; i++)
		sources[i] = (struct auth_source){
		    .kind = (enum auth_source_kind)copy->items[i].kind,
		    .bytes = copy->items[i].bytes};
	keys = auth_keys_read(sources, copy->count, &notes, &bad, &why);
	if (keys == NULL) {
		log_warn("keys for tokens: %s: the old ones stay", why);
		return;
	}
	auth_keys_destroy(worker->keys);
	worker->keys = keys;
	log_debug("keys for tokens: %zu", auth_keys_count(keys));
}

/* Takes what the vault holds, when it has changed. */
static void
refresh(struct worker *worker)
{
	struct vault_copy copy;

	if (vault_version(&worker->vault) == worker->vault_version ||
	    vault_read(&worker->vault, &copy) == -1)
		return;
	worker->vault_version = copy.version;
	take_keys(worker, &copy);
	vault_copy_finish(&copy);
}

int
authority_start(struct worker *worker)
{
	int fd = worker->heritage->vault_fd;
	uint64_t seed;

	if (vault_map_reader(&worker->vault, fd) == -1 ||
	    getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		log_warn("the vault: %m");
		return -1;
	}
	close(fd);
	auth_keys_prepare(seed);
	refresh(worker);
	if (worker->keys != NULL ||
	    worker->config->auth_mode == CONFIG_AUTH_MODE_NONE)
		return 0;
	log_warn("there are no keys for tokens");
	return -1;
}

void
authority_tick(struct worker *worker)
{
	refresh(worker);
}

void
authority_stop(struct worker *worker)
{
	auth_keys_destroy(worker->keys);
	worker->keys = NULL;
	vault_unmap(&worker->vault);
}

/* --- tokens --- */

/* A token that is good, but of a user who was kicked since. */
static bool
is_withdrawn(const struct worker *worker, const struct auth_token *token)
{
	return revoked_everything(
	    worker->revoked, token->user, token->issued_ms);
}

static enum auth_verdict
judge(struct worker *worker, struct slice text, struct auth_token **token)
{
	const struct config *config = worker->config;
	const struct config_list *audience = &config->auth_audience;
	const struct auth_rules rules = {
	    .issuer = slice_of_text(config->auth_issuer),
	    .audiences = (const char *const *)audience->items,
	    .audience_count = audience->count,
	    .user_claim = slice_of_text(config->auth_user_claim),
	    .leeway_ms = config->auth_leeway,
	    .expiry_optional = !config->auth_require_exp,
	};
	enum auth_verdict verdict;

	/* A key that was taken away is good for no token more. */
	refresh(worker);
	verdict = auth_token_read(
	    text, worker->keys, &rules, worker_now_ms(worker), token);
	if (verdict == AUTH_VERDICT_GOOD && is_withdrawn(worker, *token)) {
		auth_token_destroy(*token);
		*token = NULL;
		verdict = AUTH_VERDICT_REVOKED;
	}
	worker_count(worker,
	    verdict == AUTH_VERDICT_GOOD ? METRIC_TOKENS_ACCEPTED
					 : METRIC_TOKENS_REFUSED,
	    1);
	return verdict;
}

/* Everybody, who may do everything. */
static void
take_nobody(struct authority *authority)
{
	static const struct slice all = {"*", 1};

	*authority = (struct authority){
	    .user = {"", 0},
	    .expires_ms = UINT64_MAX,
	    .subscribe = &all,
	    .subscribe_count = 1,
	    .publish = &all,
	    .publish_count = 1,
	    .admin = true,
	};
}

static void
take_token(struct authority *authority, struct auth_token *token)
{
	*authority = (struct authority){
	    .user = token->user,
	    .expires_ms = token->expires_ms,
	    .issued_ms = token->issued_ms,
	    .token = token,
	    .subscribe = token->subscribe,
	    .subscribe_count = token->subscribe_count,
	    .publish = token->publish,
	    .publish_count = token->publish_count,
	    .admin = token->admin,
	};
}

enum auth_verdict
authority_read(
    struct worker *worker, struct slice text, struct authority *authority)
{
	struct auth_token *token;
	enum auth_verdict verdict;

	if (worker->config->auth_mode == CONFIG_AUTH_MODE_NONE) {
		take_nobody(authority);
		return AUTH_VERDICT_GOOD;
	}
	verdict = judge(worker, text, &token);
	if (verdict == AUTH_VERDICT_GOOD)
		take_token(authority, token);
	else
		authority_finish(authority);
	return verdict;
}

void
authority_finish(struct authority *authority)
{
	auth_token_destroy(authority->token);
	*authority = (struct authority){.token = NULL};
}

/* --- requests --- */

/* What there is, and why it is refused. */
struct finding {
	enum authority_found found;
	enum problem problem; /* when refused */
	const char *detail;
};

static const struct finding found = {.found = AUTHORITY_FOUND};

static struct finding
refused(enum problem problem, const char *detail)
{
	return (struct finding){AUTHORITY_REFUSED, problem, detail};
}

static struct finding
refused_by(enum auth_verdict verdict)
{
	const char *sentence = auth_verdict_sentence(verdict);

	if (verdict == AUTH_VERDICT_GOOD)
		return found;
	if (verdict == AUTH_VERDICT_MEMORY)
		return refused(PROBLEM_NO_MEMORY, NULL);
	if (verdict == AUTH_VERDICT_EXPIRED)
		return refused(PROBLEM_TOKEN_EXPIRED, sentence);
	if (verdict == AUTH_VERDICT_REVOKED)
		return refused(PROBLEM_TOKEN_REVOKED, sentence);
	return refused(PROBLEM_TOKEN_INVALID, sentence);
}

static struct finding
find_bearer(const struct worker *worker, const struct http_request *request,
    struct bearer *bearer)
{
	switch (bearer_find(worker->config, request, bearer)) {
	case BEARER_NONE:
		break;
	case BEARER_TWICE:
		return refused(
		    PROBLEM_TOKEN_INVALID, "there are two tokens in one place");
	case BEARER_FOREIGN:
		return refused(PROBLEM_ORIGIN_NOT_ALLOWED, NULL);
	case BEARER_MEMORY:
		return refused(PROBLEM_NO_MEMORY, NULL);
	case BEARER_FOUND:
		return found;
	}
	return (struct finding){.found = AUTHORITY_NONE};
}

static struct finding
look(struct worker *worker, const struct http_request *request,
    struct authority *authority)
{
	struct finding finding;
	struct bearer bearer;

	*authority = (struct authority){.token = NULL};
	if (worker->config->auth_mode == CONFIG_AUTH_MODE_NONE) {
		take_nobody(authority);
		return found;
	}
	finding = find_bearer(worker, request, &bearer);
	if (finding.found != AUTHORITY_FOUND)
		return finding;
	finding = refused_by(authority_read(worker, bearer.token, authority));
	bearer_finish(&bearer);
	return finding;
}

/* RFC 6750, section 3: no error is named to who brought no token. */
static void
answer(struct connection *connection, enum problem problem, const char *detail)
{
	const char *header = "";

	if (problem == PROBLEM_TOKEN_MISSING)
		header = "WWW-Authenticate: Bearer\r\n";
	else if (problem_status(problem) == 401)
		header = "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";
	reply_problem_with(connection, problem, detail, header);
}

enum authority_found
authority_try(struct connection *connection, const struct http_request *request,
    struct authority *authority)
{
	return look(connection->worker, request, authority).found;
}

enum authority_found
authority_find(struct connection *connection,
    const struct http_request *request, struct authority *authority)
{
	struct finding finding = look(connection->worker, request, authority);

	if (finding.found == AUTHORITY_REFUSED)
		answer(connection, finding.problem, finding.detail);
	return finding.found;
}

bool
authority_demand(struct connection *connection,
    const struct http_request *request, struct authority *authority)
{
	enum authority_found outcome =
	    authority_find(connection, request, authority);

	if (outcome == AUTHORITY_NONE)
		answer(connection, PROBLEM_TOKEN_MISSING, NULL);
	return outcome == AUTHORITY_FOUND;
}

enum authority_found
authority_bearer(struct connection *connection,
    const struct http_request *request, struct bearer *bearer)
{
	struct finding finding =
	    find_bearer(connection->worker, request, bearer);

	if (finding.found == AUTHORITY_REFUSED)
		answer(connection, finding.problem, finding.detail);
	return finding.found;
}

void
authority_refuse(struct connection *connection, enum auth_verdict verdict)
{
	struct finding finding = refused_by(verdict);

	answer(connection, finding.problem, finding.detail);
}
