/*
 * auth_signature: whether a key made a signature. The other half of
 * auth_key.h.
 *
 * A signature has exactly the length that its algorithm says. That of ECDSA is
 * the two numbers r and s side by side (RFC 7518, 3.4), never DER.
 */
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "broker/shared/auth_key.h"

enum { DER_MAX = 2 * 48 + 16 };

static const unsigned char *
bytes_of(struct slice slice)
{
	return (const unsigned char *)slice.bytes;
}

static bool
verifies_secret(const struct auth_key *key, const EVP_MD *digest,
    struct slice text, struct slice signature)
{
	unsigned char own[EVP_MAX_MD_SIZE];
	unsigned len = sizeof(own);
	bool good;

	good = HMAC(digest, key->secret, (int)key->secret_bytes, bytes_of(text),
		   text.len, own, &len) != NULL &&
	       len == signature.len &&
	       CRYPTO_memcmp(own, signature.bytes, len) == 0;
	OPENSSL_cleanse(own, sizeof(own));
	return good;
}

static bool
set_padding(EVP_PKEY_CTX *context, enum auth_padding padding)
{
	switch (padding) {
	case AUTH_PADDING_NONE:
		return true;
	case AUTH_PADDING_PKCS1:
		return EVP_PKEY_CTX_set_rsa_padding(
			   context, RSA_PKCS1_PADDING) == 1;
	case AUTH_PADDING_PSS:
		return EVP_PKEY_CTX_set_rsa_padding(
			   context, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(
			   context, RSA_PSS_SALTLEN_DIGEST) == 1;
	}
	return false;
}

static bool
verifies_public(const struct auth_key *key,
    const struct auth_algorithm *algorithm, const EVP_MD *digest,
    struct slice text, struct slice signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *settings;
	bool good;

	good = context != NULL &&
	       EVP_DigestVerifyInit(
		   context, &settings, digest, NULL, key->public) == 1 &&
	       set_padding(settings, algorithm->padding) &&
	       EVP_DigestVerify(context, bytes_of(signature), signature.len,
		   bytes_of(text), text.len) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

/* r and s as DER, in out; 0: they have none. */
static size_t
write_der(struct slice signature, unsigned char out[DER_MAX])
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	int half = (int)(signature.len / 2);
	BIGNUM *r = BN_bin2bn(bytes_of(signature), half, NULL);
	BIGNUM *s = BN_bin2bn(bytes_of(signature) + half, half, NULL);
	int len = 0;

	if (pair == NULL || r == NULL || s == NULL ||
	    ECDSA_SIG_set0(pair, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else if (i2d_ECDSA_SIG(pair, NULL) <= DER_MAX) {
		len = i2d_ECDSA_SIG(pair, &out);
	}
	ECDSA_SIG_free(pair);
	return len > 0 ? (size_t)len : 0;
}

static bool
verifies_curve(const struct auth_key *key,
    const struct auth_algorithm *algorithm, const EVP_MD *digest,
    struct slice text, struct slice signature)
{
	unsigned char der[DER_MAX];
	size_t len = write_der(signature, der);

	return len > 0 && verifies_public(key, algorithm, digest, text,
			      slice_of((const char *)der, len));
}

static size_t
signature_bytes(
    const struct auth_key *key, const struct auth_algorithm *algorithm)
{
	if (algorithm->signature_bytes > 0)
		return algorithm->signature_bytes;
	return (size_t)EVP_PKEY_get_size(key->public);
}

static bool
verifies(const struct auth_key *key, const struct auth_algorithm *algorithm,
    struct slice text, struct slice signature)
{
	const EVP_MD *digest = NULL;

	if (algorithm->digest != NULL) {
		digest = EVP_get_digestbyname(algorithm->digest);
		if (digest == NULL)
			return false;
	}
	switch (key->family) {
	case AUTH_FAMILY_OCT:
		return verifies_secret(key, digest, text, signature);
	case AUTH_FAMILY_P256:
	case AUTH_FAMILY_P384:
		return verifies_curve(key, algorithm, digest, text, signature);
	case AUTH_FAMILY_RSA:
	case AUTH_FAMILY_ED25519:
		return verifies_public(key, algorithm, digest, text, signature);
	}
	return false;
}

bool
auth_key_verifies(const struct auth_key *key,
    const struct auth_algorithm *algorithm, struct slice text,
    struct slice signature)
{
	bool good = key->family == algorithm->family &&
		    signature.len == signature_bytes(key, algorithm) &&
		    verifies(key, algorithm, text, signature);

	ERR_clear_error();
	return good;
}
