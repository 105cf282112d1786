/* auth_key: what may be a key. See auth_key.h. */
#include "broker/shared/auth_key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

static const struct auth_algorithm algorithms[] = {
#define AUTH_ALGORITHM(name, family, digest, padding, bytes) \
	{name, AUTH_FAMILY_##family, digest, AUTH_PADDING_##padding, bytes},
#include "broker/shared/auth_algorithm.def"
#undef AUTH_ALGORITHM
};

const struct auth_algorithm *
auth_algorithm_find(struct slice name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]);
	     i++) {
		if (slice_is(name, algorithms[i].name))
			return &algorithms[i];
	}
	return NULL;
}

static int
settle_rsa(struct auth_key *key, const char **why)
{
	int bits = EVP_PKEY_get_bits(key->public);

	key->family = AUTH_FAMILY_RSA;
	if (bits < AUTH_RSA_BITS_MIN) {
		*why = "an RSA key has fewer than 2048 bits";
		return -1;
	}
	if (bits > AUTH_RSA_BITS_MAX) {
		*why = "an RSA key has more than 8192 bits";
		return -1;
	}
	return 0;
}

static int
settle_curve(struct auth_key *key, const char **why)
{
	char curve[32];

	if (EVP_PKEY_get_utf8_string_param(key->public,
		OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof(curve), NULL) != 1)
		curve[0] = '\0';
	if (strcmp(curve, "prime256v1") == 0) {
		key->family = AUTH_FAMILY_P256;
		return 0;
	}
	if (strcmp(curve, "secp384r1") == 0) {
		key->family = AUTH_FAMILY_P384;
		return 0;
	}
	*why = "a key is on a curve other than P-256, P-384 and Ed25519";
	return -1;
}

static int
settle_family(struct auth_key *key, const char **why)
{
	switch (EVP_PKEY_get_base_id(key->public)) {
	case EVP_PKEY_RSA:
		return settle_rsa(key, why);
	case EVP_PKEY_EC:
		return settle_curve(key, why);
	case EVP_PKEY_ED25519:
		key->family = AUTH_FAMILY_ED25519;
		return 0;
	default:
		*why = "a key is neither RSA nor on P-256, P-384 or Ed25519";
		return -1;
	}
}

/* Is the number or the point one that a key can have? */
static bool
is_sound(EVP_PKEY *public)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(public, NULL);
	bool sound = context != NULL && EVP_PKEY_public_check(context) == 1;

	EVP_PKEY_CTX_free(context);
	ERR_clear_error();
	return sound;
}

int
auth_key_from_public(struct auth_key *key, EVP_PKEY *public, const char **why)
{
	*key = (struct auth_key){.public = public};
	if (settle_family(key, why) == 0) {
		if (is_sound(public))
			return 0;
		*why = "a key is not sound";
	}
	auth_key_finish(key);
	return -1;
}

int
auth_key_from_secret(
    struct auth_key *key, struct slice secret, const char **why)
{
	*key = (struct auth_key){.family = AUTH_FAMILY_OCT};
	if (secret.len == 0) {
		*why = "a secret is empty";
		return -1;
	}
	key->secret = malloc(secret.len);
	if (key->secret == NULL) {
		*why = "there is no memory";
		return -1;
	}
	memcpy(key->secret, secret.bytes, secret.len);
	key->secret_bytes = secret.len;
	return 0;
}

void
auth_key_finish(struct auth_key *key)
{
	if (key->secret != NULL)
		OPENSSL_cleanse(key->secret, key->secret_bytes);
	free(key->secret);
	free(key->kid);
	EVP_PKEY_free(key->public);
	*key = (struct auth_key){.public = NULL};
}
