/*
 * auth_jwk: JSON Web Keys (RFC 7517, 7518 section 6, 8037) and sets of them.
 *
 * Members that say what a key is for (alg, use, key_ops) restrict it. Ways to
 * certificates (x5c, x5u) are not followed.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>

#include "broker/shared/auth_base64.h"
#include "broker/shared/auth_json.h"
#include "broker/shared/auth_keyring.h"

enum {
	NUMBER_MAX = AUTH_RSA_BITS_MAX / 8 + 1, /* bytes of n */
	SECRET_MAX = 4096,                      /* bytes of k */
	POINT_MAX = 1 + 2 * 48,
};

/* Decodes a member of base64url into out; 0: it is missing, empty, too long or
 * no base64url. */
static size_t
decode(const json_t *jwk, const char *name, unsigned char *out, size_t max)
{
	struct slice text = auth_json_text(json_object_get(jwk, name));
	unsigned char bytes[SECRET_MAX + 4];
	size_t len;

	if (text.len == 0 || text.len / 4 * 3 > max ||
	    !auth_base64_decode(text, bytes, &len) || len > max)
		return 0;
	memcpy(out, bytes, len);
	OPENSSL_cleanse(bytes, len);
	return len;
}

/* --- kinds of keys --- */

static int
read_oct(const json_t *jwk, struct auth_key *key, const char **why)
{
	unsigned char secret[SECRET_MAX];
	size_t len = decode(jwk, "k", secret, sizeof(secret));
	int result;

	if (len == 0)
		return -1;
	result =
	    auth_key_from_secret(key, slice_of((const char *)secret, len), why);
	OPENSSL_cleanse(secret, len);
	return result;
}

/* The public key of a kind that these parameters describe; NULL: none. */
static EVP_PKEY *
make_public(const char *kind, OSSL_PARAM_BLD *builder)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY *public = NULL;

	if (context == NULL || parameters == NULL ||
	    EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(
		context, &public, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
	public = NULL;
	OSSL_PARAM_free(parameters);
	EVP_PKEY_CTX_free(context);
	return public;
}

static EVP_PKEY *
make_rsa(const json_t *jwk)
{
	unsigned char bytes[NUMBER_MAX];
	size_t n_len = decode(jwk, "n", bytes, sizeof(bytes));
	BIGNUM *n = BN_bin2bn(bytes, (int)n_len, NULL);
	size_t e_len = decode(jwk, "e", bytes, sizeof(uint64_t));
	BIGNUM *e = BN_bin2bn(bytes, (int)e_len, NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY *public = NULL;

	if (n_len > 0 && e_len > 0 && n != NULL && e != NULL &&
	    builder != NULL &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
	public = make_public("RSA", builder);
	OSSL_PARAM_BLD_free(builder);
	BN_free(n);
	BN_free(e);
	return public;
}

/* The point is written as RFC 5480 says: 4, x, y. */
static EVP_PKEY *
make_point(const json_t *jwk, const char *group, size_t half)
{
	unsigned char point[POINT_MAX] = {4};
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY *public = NULL;

	if (decode(jwk, "x", point + 1, half) == half &&
	    decode(jwk, "y", point + 1 + half, half) == half &&
	    builder != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(
		builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(
		builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * half) == 1)
	public = make_public("EC", builder);
	OSSL_PARAM_BLD_free(builder);
	return public;
}

static EVP_PKEY *
make_ed25519(const json_t *jwk)
{
	unsigned char x[32];

	if (decode(jwk, "x", x, sizeof(x)) != sizeof(x))
		return NULL;
	return EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, x, sizeof(x));
}

static int
read_public(const json_t *jwk, struct auth_key *key, const char **why)
{
	const json_t *type = json_object_get(jwk, "kty");
	const json_t *curve = json_object_get(jwk, "crv");
	EVP_PKEY *public = NULL;

	if (json_object_get(jwk, "d") != NULL) {
		*why = "it holds a private key; the broker wants the public "
		       "key alone";
		return -1;
	}
	if (auth_json_is(type, "RSA"))
	public = make_rsa(jwk);
	else if (auth_json_is(type, "EC") &&
		 auth_json_is(curve, "P-256")) public =
	    make_point(jwk, "prime256v1", 32);
	else if (auth_json_is(type, "EC") &&
		 auth_json_is(curve, "P-384")) public =
	    make_point(jwk, "secp384r1", 48);
	else if (auth_json_is(type, "OKP") &&
		 auth_json_is(curve, "Ed25519")) public = make_ed25519(jwk);
	else *why = "its kty or crv is not one that is known here";
	return public != NULL ? auth_key_from_public(key, public, why) : -1;
}

/* --- what it is for --- */

static bool
lists(const json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (auth_json_is(json_array_get(list, i), text))
			return true;
	}
	return false;
}

/* May it verify signatures? */
static bool
is_for_us(const json_t *jwk, const char **why)
{
	const json_t *use = json_object_get(jwk, "use");
	const json_t *operations = json_object_get(jwk, "key_ops");

	*why = "its use is not sig";
	if (use != NULL && !auth_json_is(use, "sig"))
		return false;
	*why = "its key_ops do not hold verify";
	return operations == NULL || lists(operations, "verify");
}

static int
settle_algorithm(const json_t *jwk, struct auth_key *key, const char **why)
{
	const json_t *alg = json_object_get(jwk, "alg");

	if (alg == NULL)
		return 0;
	key->only = auth_algorithm_find(auth_json_text(alg));
	if (key->only != NULL && key->only->family == key->family)
		return 0;
	*why = "its alg is not one that is accepted for such a key";
	return -1;
}

static int
settle_kid(const json_t *jwk, struct auth_key *key, const char **why)
{
	const json_t *kid = json_object_get(jwk, "kid");
	struct slice text = auth_json_text(kid);

	if (kid == NULL)
		return 0;
	*why = "its kid is not a text of 1 to 256 bytes";
	if (text.len == 0 || text.len > AUTH_KID_MAX)
		return -1;
	*why = "there is no memory";
	key->kid = strndup(text.bytes, text.len);
	return key->kid != NULL ? 0 : -1;
}

static int
read_key(const json_t *jwk, struct auth_key *key, const char **why)
{
	int result;

	*key = (struct auth_key){.public = NULL};
	if (!is_for_us(jwk, why))
		return -1;
	*why = "a number of it is missing or malformed";
	if (auth_json_is(json_object_get(jwk, "kty"), "oct"))
		result = read_oct(jwk, key, why);
	else
		result = read_public(jwk, key, why);
	if (result == 0 && settle_algorithm(jwk, key, why) == 0 &&
	    settle_kid(jwk, key, why) == 0)
		return 0;
	auth_key_finish(key);
	ERR_clear_error();
	return -1;
}

/* --- files --- */

static int
take_key(const json_t *jwk, struct auth_keys *keys,
    const struct auth_notes *notes, const char **why)
{
	struct auth_key key;

	if (read_key(jwk, &key, why) == -1)
		return -1;
	if (key.family == AUTH_FAMILY_OCT &&
	    key.secret_bytes < AUTH_SECRET_BYTES_ENOUGH)
		auth_keyring_note(notes, "a secret has fewer than 32 bytes");
	return auth_keyring_add(keys, &key, why);
}

int
auth_jwk_read(struct slice json, struct auth_keys *keys,
    const struct auth_notes *notes, const char **why)
{
	json_t *jwk = auth_json_object(json);
	int result = -1;

	*why = "it is not strict JSON";
	if (jwk != NULL)
		*why = "it is a set of keys, which auth.jwks_file names";
	if (jwk != NULL && json_object_get(jwk, "keys") == NULL)
		result = take_key(jwk, keys, notes, why);
	json_decref(jwk);
	return result;
}

/* Takes what it can use, and says which it cannot. */
static int
take_keys(const json_t *list, struct auth_keys *keys,
    const struct auth_notes *notes, const char **why)
{
	size_t before = keys->count;

	for (size_t i = 0; i < json_array_size(list); i++) {
		char text[AUTH_ERROR_SIZE];

		if (keys->count == AUTH_KEYS_MAX) {
			*why = "there are more than 128 keys";
			return -1;
		}
		if (take_key(json_array_get(list, i), keys, notes, why) == 0)
			continue;
		snprintf(text, sizeof(text), "key %zu is passed over: %s",
		    i + 1, *why);
		auth_keyring_note(notes, text);
	}
	*why = "no key in it can be used";
	return keys->count > before ? 0 : -1;
}

int
auth_jwks_read(struct slice json, struct auth_keys *keys,
    const struct auth_notes *notes, const char **why)
{
	json_t *set = auth_json_object(json);
	const json_t *list = json_object_get(set, "keys");
	int result = -1;

	*why = "it is not a strict JSON object with a list named keys";
	if (json_is_array(list))
		result = take_keys(list, keys, notes, why);
	json_decref(set);
	return result;
}
