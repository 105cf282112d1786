/*
 * token_maker: pairs of keys, and tokens of any bytes signed with them; the
 * opposite of auth_token, and independent of it. What is given back is static
 * or lives as long as the test.
 */
#ifndef TESTS_UNIT_TOKEN_MAKER_H
#define TESTS_UNIT_TOKEN_MAKER_H

#include <check.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/slice.h"

enum { MAKER_TOKEN_MAX = 32768, MAKER_SIGNATURE_MAX = 1024 };

/* A private key, or a secret when pair is NULL. */
struct maker {
	EVP_PKEY *pair;
	struct slice secret;
};

/* What was made stays reachable, and so is no leak. */
static inline void *
maker_keep(void *made)
{
	static void **kept;
	static size_t count;

	kept = realloc(kept, (count + 1) * sizeof(kept[0]));
	ck_assert_ptr_nonnull(kept);
	ck_assert_ptr_nonnull(made);
	return kept[count++] = made;
}

static inline const unsigned char *
maker_bytes(struct slice slice)
{
	return (const unsigned char *)slice.bytes;
}

/* Appends base64url to the text, with a NUL. */
static inline void
maker_append(char *text, const void *bytes, size_t len)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
				      "opqrstuvwxyz0123456789-_";
	const unsigned char *at = bytes;
	char *out = text + strlen(text);
	unsigned held = 0, bits = 0;

	ck_assert_uint_lt(strlen(text) + 2 * len + 2, MAKER_TOKEN_MAX);
	for (size_t i = 0; i < len; i++) {
		held = held << 8 | at[i];
		for (bits += 8; bits >= 6; bits -= 6)
			*out++ = letters[held >> (bits - 6) & 63];
	}
	if (bits > 0)
		*out++ = letters[held << (6 - bits) & 63];
	*out = '\0';
}

/* --- keys --- */

static inline struct maker
maker_of_secret(const char *secret)
{
	return (struct maker){NULL, slice_of_text(secret)};
}

static inline struct maker
maker_of_kind(const char *kind)
{
	EVP_PKEY *pair;

	if (strcmp(kind, "RSA") == 0)
		pair = EVP_RSA_gen(2048);
	else if (strcmp(kind, "ED25519") == 0)
		pair = EVP_PKEY_Q_keygen(NULL, NULL, kind);
	else
		pair = EVP_EC_gen(kind);
	return (struct maker){.pair = maker_keep(pair)};
}

/* "BEGIN PUBLIC KEY" and so on, in memory that stays. */
static inline struct slice
maker_pem(struct maker maker)
{
	BIO *out = BIO_new(BIO_s_mem());
	struct slice slice;
	char *bytes;
	long len;

	ck_assert_int_eq(PEM_write_bio_PUBKEY(out, maker.pair), 1);
	len = BIO_get_mem_data(out, &bytes);
	slice = slice_of(
	    memcpy(maker_keep(malloc((size_t)len)), bytes, (size_t)len),
	    (size_t)len);
	BIO_free(out);
	return slice;
}

static inline struct slice
maker_der(struct maker maker)
{
	unsigned char *bytes = NULL;
	int len = i2d_PUBKEY(maker.pair, &bytes);

	ck_assert_int_gt(len, 0);
	return slice_of(maker_keep(bytes), (size_t)len);
}

/* A member of a JSON Web Key, its number in so many bytes (0: as few as it
 * takes). */
static inline void
maker_append_number(
    char *text, const EVP_PKEY *pair, const char *name, int size)
{
	unsigned char bytes[1024];
	BIGNUM *number = NULL;

	ck_assert_int_eq(EVP_PKEY_get_bn_param(pair, name, &number), 1);
	if (size == 0)
		size = BN_num_bytes(number);
	ck_assert_int_eq(BN_bn2binpad(number, bytes, size), size);
	BN_free(number);
	maker_append(text, bytes, (size_t)size);
}

/* The public JSON Web Key; more: further members, as ",\"kid\":\"a\"". */
static inline const char *
maker_jwk(struct maker maker, const char *more)
{
	char *text = maker_keep(calloc(1, MAKER_TOKEN_MAX));
	EVP_PKEY *pair = maker.pair;
	unsigned char raw[32];
	size_t len = sizeof(raw);

	if (pair == NULL) {
		strcat(text, "{\"kty\":\"oct\",\"k\":\"");
		maker_append(text, maker.secret.bytes, maker.secret.len);
	} else if (EVP_PKEY_get_base_id(pair) == EVP_PKEY_RSA) {
		strcat(text, "{\"kty\":\"RSA\",\"n\":\"");
		maker_append_number(text, pair, OSSL_PKEY_PARAM_RSA_N, 0);
		strcat(text, "\",\"e\":\"");
		maker_append_number(text, pair, OSSL_PKEY_PARAM_RSA_E, 0);
	} else if (EVP_PKEY_get_base_id(pair) == EVP_PKEY_ED25519) {
		strcat(text, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
		EVP_PKEY_get_raw_public_key(pair, raw, &len);
		maker_append(text, raw, len);
	} else {
		int bits = EVP_PKEY_get_bits(pair);

		sprintf(
		    text, "{\"kty\":\"EC\",\"crv\":\"P-%d\",\"x\":\"", bits);
		maker_append_number(
		    text, pair, OSSL_PKEY_PARAM_EC_PUB_X, (bits + 7) / 8);
		strcat(text, "\",\"y\":\"");
		maker_append_number(
		    text, pair, OSSL_PKEY_PARAM_EC_PUB_Y, (bits + 7) / 8);
	}
	strcat(text, "\"");
	strcat(text, more);
	return strcat(text, "}");
}

/* --- signatures --- */

static inline const EVP_MD *
maker_digest(const char *algorithm)
{
	const char *size = algorithm + strlen(algorithm) - 3;

	return strcmp(size, "256") == 0   ? EVP_sha256()
	       : strcmp(size, "384") == 0 ? EVP_sha384()
	       : strcmp(size, "512") == 0 ? EVP_sha512()
					  : NULL;
}

/* As OpenSSL gives it: that of a curve is DER. */
static inline size_t
maker_sign_plainly(struct maker maker, const char *algorithm, struct slice text,
    unsigned char out[MAKER_SIGNATURE_MAX])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *settings;
	size_t len = MAKER_SIGNATURE_MAX;
	unsigned hmac_len;

	if (maker.pair == NULL) {
		HMAC(maker_digest(algorithm), maker.secret.bytes,
		    (int)maker.secret.len, maker_bytes(text), text.len, out,
		    &hmac_len);
		EVP_MD_CTX_free(context);
		return hmac_len;
	}
	ck_assert_int_eq(EVP_DigestSignInit(context, &settings,
			     maker_digest(algorithm), NULL, maker.pair),
	    1);
	if (algorithm[0] == 'P') {
		EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(
		    settings, RSA_PSS_SALTLEN_DIGEST);
	}
	ck_assert_int_eq(
	    EVP_DigestSign(context, out, &len, maker_bytes(text), text.len), 1);
	EVP_MD_CTX_free(context);
	return len;
}

/* As a token has it. */
static inline size_t
maker_sign(struct maker maker, const char *algorithm, struct slice text,
    unsigned char out[MAKER_SIGNATURE_MAX])
{
	size_t len = maker_sign_plainly(maker, algorithm, text, out);
	const unsigned char *at = out;
	ECDSA_SIG *pair;
	int half;

	if (maker.pair == NULL ||
	    EVP_PKEY_get_base_id(maker.pair) != EVP_PKEY_EC)
		return len;
	half = (EVP_PKEY_get_bits(maker.pair) + 7) / 8;
	pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
	ck_assert_ptr_nonnull(pair);
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, half);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + half, half);
	ECDSA_SIG_free(pair);
	return 2 * (size_t)half;
}

/* --- tokens --- */

/* Header and claims, without a signature; in one of a few rooms that take
 * turns. */
static inline char *
maker_unsigned(struct slice header, struct slice claims)
{
	static char texts[8][MAKER_TOKEN_MAX];
	static unsigned turn;
	char *text = texts[turn++ % 8];

	text[0] = '\0';
	maker_append(text, header.bytes, header.len);
	strcat(text, ".");
	maker_append(text, claims.bytes, claims.len);
	return text;
}

static inline char *
maker_with_signature(char *text, const void *signature, size_t len)
{
	strcat(text, ".");
	maker_append(text, signature, len);
	return text;
}

/* A token of these bytes, signed with the algorithm whatever they say. */
static inline char *
maker_token(struct maker maker, const char *algorithm, struct slice header,
    struct slice claims)
{
	unsigned char signature[MAKER_SIGNATURE_MAX];
	char *text = maker_unsigned(header, claims);
	size_t len =
	    maker_sign(maker, algorithm, slice_of_text(text), signature);

	return maker_with_signature(text, signature, len);
}

#endif
