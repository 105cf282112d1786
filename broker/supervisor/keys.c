/* keys: the key files, from the disk to the vault. See keys.h. */
#include "broker/supervisor/keys.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/shared/auth_claims.h"
#include "broker/shared/auth_keys.h"
#include "broker/shared/heritage.h"
#include "broker/shared/log.h"
#include "broker/shared/vault.h"
#include "broker/supervisor/key_check.h"
#include "broker/supervisor/key_file.h"

enum { LOOK_MS = 1000 /* between two looks */ };

struct keys {
	struct key_file files[VAULT_ITEMS_MAX];
	size_t count;
	struct vault vault;
	int vault_fd;
	struct board *board;
	const struct privileges *privileges; /* of the checker; NULL: as now */
	uint64_t due_ms;

	/* one file at a time is checked */
	pid_t checker;  /* 0: none */
	size_t checked; /* which file */
	char *candidate;
	size_t candidate_len;
};

/* --- settings --- */

/* RFC 6265: a cookie's name is a token of HTTP. */
static bool
is_cookie_name(const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name <= ' ' || *name > '~' ||
		    strchr("()<>@,;:\\\"/[]?={}", *name) != NULL)
			return false;
	}
	return true;
}

const char *
keys_contradiction(const struct config *config)
{
	if (config->auth_mode == CONFIG_AUTH_MODE_JWT &&
	    config->auth_jwt_key_file.count == 0 &&
	    config->auth_jwks_file[0] == '\0')
		return "auth.mode = jwt needs auth.jwt_key_file or "
		       "auth.jwks_file";
	if (!is_cookie_name(config->auth_cookie))
		return "auth.cookie is not the name of a cookie";
	if (!auth_claim_name_valid(slice_of_text(config->auth_user_claim)))
		return "auth.user_claim is not the name of a claim";
	return NULL;
}

static void
add_file(struct keys *keys, const char *setting, const char *path,
    enum auth_source_kind kind)
{
	keys->files[keys->count++] =
	    (struct key_file){.setting = setting, .path = path, .kind = kind};
}

static void
list_files(struct keys *keys, const struct config *config)
{
	const struct config_list *list = &config->auth_jwt_key_file;

	assert(list->count < VAULT_ITEMS_MAX); /* see its row of config.def */
	if (config->auth_mode != CONFIG_AUTH_MODE_JWT)
		return;
	for (size_t i = 0; i < list->count; i++)
		add_file(
		    keys, "auth.jwt_key_file", list->items[i], AUTH_SOURCE_KEY);
	if (config->auth_jwks_file[0] != '\0')
		add_file(keys, "auth.jwks_file", config->auth_jwks_file,
		    AUTH_SOURCE_SET);
}

/* --- the start --- */

/* Says once that the file cannot be read. True: it was said. */
static bool
complain(struct key_file *file, const char *why)
{
	if (file->said != NULL && strcmp(file->said, why) == 0)
		return false;
	log_warn("%s %s: %s", file->setting, file->path, why);
	file->said = why;
	return true;
}

/* Reads one file for the first time. */
static int
read_first(struct key_file *file, struct vault_item *item)
{
	const char *why;
	size_t len;
	char *bytes = key_file_read(file, &len, &file->taken, &why);

	if (bytes == NULL) {
		complain(file, why != NULL ? why : "it is being written");
		return -1;
	}
	file->seen = file->taken;
	*item = (struct vault_item){
	    .kind = file->kind, .bytes = slice_of(bytes, len)};
	return 0;
}

/* Reads and checks all files; with a vault, fills it. 0, or -1 (logged). */
static int
take_all(struct keys *keys)
{
	struct vault_item items[VAULT_ITEMS_MAX] = {{.kind = 0}};
	struct key_check check = {.files = keys->files,
	    .count = keys->count,
	    .privileges = keys->privileges,
	    .changed = KEY_CHECK_ALL,
	    .items = items};
	int result = 0;

	for (size_t i = 0; i < keys->count && result == 0; i++)
		result = read_first(&keys->files[i], &items[i]);
	if (result == 0 && keys->count > 0)
		result = key_check_await(key_check_start(&check));
	if (result == 0 && keys->vault.memory != NULL)
		result = vault_write(&keys->vault, items, keys->count);
	for (size_t i = 0; i < keys->count; i++)
		key_file_forget((char *)(uintptr_t)items[i].bytes.bytes,
		    items[i].bytes.len);
	return result;
}

int
keys_check(const struct config *config)
{
	struct keys keys = {.vault_fd = -1};

	list_files(&keys, config);
	return take_all(&keys);
}

struct keys *
keys_create(struct heritage *heritage, const struct privileges *privileges)
{
	struct keys *keys = calloc(1, sizeof(*keys));

	if (keys == NULL || vault_create(&keys->vault, &keys->vault_fd) == -1) {
		log_warn("the vault: %m");
		free(keys);
		return NULL;
	}
	keys->privileges = privileges;
	keys->board = &heritage->board;
	heritage->vault_fd = keys->vault_fd;
	list_files(keys, heritage->config);
	if (take_all(keys) == 0)
		return keys;
	keys_destroy(keys);
	return NULL;
}

void
keys_destroy(struct keys *keys)
{
	if (keys == NULL)
		return;
	key_file_forget(keys->candidate, keys->candidate_len);
	vault_unmap(&keys->vault);
	close(keys->vault_fd);
	free(keys);
}

/* --- changes --- */

uint64_t
keys_due_ms(const struct keys *keys)
{
	return keys->count > 0 ? keys->due_ms : UINT64_MAX;
}

/* Has the file changed since its bytes were taken, and not since the look
 * before? What is still being written is left alone. */
static bool
has_settled(struct key_file *file)
{
	struct stat now;
	bool settled;

	if (stat(file->path, &now) == -1) {
		complain(file, strerrordesc_np(errno));
		return false;
	}
	settled = key_file_same(&now, &file->seen) &&
		  !key_file_same(&now, &file->taken);
	file->seen = now;
	return settled;
}

static pid_t
start_check(const struct keys *keys, size_t changed)
{
	const struct key_check check = {.files = keys->files,
	    .count = keys->count,
	    .privileges = keys->privileges,
	    .changed = changed,
	    .vault_fd = keys->vault_fd,
	    .candidate = slice_of(keys->candidate, keys->candidate_len)};

	return key_check_start(&check);
}

/* Reads the file anew and has it checked. */
static void
check(struct keys *keys, size_t index)
{
	struct key_file *file = &keys->files[index];
	struct stat status;
	const char *why;

	keys->candidate =
	    key_file_read(file, &keys->candidate_len, &status, &why);
	if (keys->candidate == NULL) {
		if (why != NULL && complain(file, why))
			board_add(keys->board, METRIC_KEY_FILES_REFUSED, 1);
		return;
	}
	file->said = NULL;
	keys->checked = index;
	keys->checker = start_check(keys, index);
	if (keys->checker == -1) {
		keys->checker = 0;
		key_file_forget(keys->candidate, keys->candidate_len);
		keys->candidate = NULL;
		return;
	}
	file->taken = status;
}

void
keys_look(struct keys *keys, uint64_t now_ms)
{
	if (keys->count == 0 || now_ms < keys->due_ms)
		return;
	keys->due_ms = now_ms + LOOK_MS;
	for (size_t i = 0; i < keys->count; i++) {
		if (has_settled(&keys->files[i]) && keys->checker == 0)
			check(keys, i);
	}
}

/* Puts the candidate into the vault. 0, or -1 with errno. */
static int
take_candidate(struct keys *keys)
{
	struct vault_copy copy;
	int result;

	if (vault_read(&keys->vault, &copy) == -1)
		return -1;
	copy.items[keys->checked].bytes =
	    slice_of(keys->candidate, keys->candidate_len);
	result = vault_write(&keys->vault, copy.items, copy.count);
	vault_copy_finish(&copy);
	return result;
}

bool
keys_child_ended(struct keys *keys, pid_t pid, int status)
{
	const struct key_file *file = &keys->files[keys->checked];

	if (keys->checker == 0 || pid != keys->checker)
		return false;
	keys->checker = 0;
	if (key_check_good(status) && take_candidate(keys) == 0) {
		board_add(keys->board, METRIC_KEY_FILES_TAKEN, 1);
		log_info(
		    "%s %s: changed, and taken", file->setting, file->path);
	} else {
		board_add(keys->board, METRIC_KEY_FILES_REFUSED, 1);
		log_warn("%s %s: changed, and not taken: the keys before it "
			 "stay",
		    file->setting, file->path);
	}
	key_file_forget(keys->candidate, keys->candidate_len);
	keys->candidate = NULL;
	return true;
}
