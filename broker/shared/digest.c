/* digest: SHA-256, by OpenSSL. See digest.h. */
#include "broker/shared/digest.h"

#include <openssl/evp.h>
#include <stdint.h>

static EVP_MD *sha256;

int
digest_start(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	return sha256 == NULL ? -1 : 0;
}

void
digest_finish(void)
{
	EVP_MD_free(sha256);
	sha256 = NULL;
}

static bool
add(EVP_MD_CTX *context, struct slice part)
{
	uint64_t len = part.len;
	unsigned char prefix[8];

	for (size_t i = 0; i < sizeof(prefix); i++, len >>= 8)
		prefix[i] = (unsigned char)len;
	return EVP_DigestUpdate(context, prefix, sizeof(prefix)) == 1 &&
	       (part.len == 0 ||
		   EVP_DigestUpdate(context, part.bytes, part.len) == 1);
}

static void
encode(const unsigned char digest[DIGEST_BYTES], char text[DIGEST_TEXT])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";

	for (size_t i = 0; i < DIGEST_TEXT; i++) {
		size_t bit = 6 * i, byte = bit / 8;
		unsigned pair = (unsigned)digest[byte] << 8;

		if (byte + 1 < DIGEST_BYTES)
			pair |= digest[byte + 1];
		text[i] = digits[pair >> (10 - bit % 8) & 63];
	}
}

int
digest_of(const struct slice *parts, size_t count, char text[DIGEST_TEXT])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char digest[DIGEST_BYTES];
	bool good = context != NULL && sha256 != NULL &&
		    EVP_DigestInit_ex2(context, sha256, NULL) == 1;

	for (size_t i = 0; good && i < count; i++)
		good = add(context, parts[i]);
	good = good && EVP_DigestFinal_ex(context, digest, NULL) == 1;
	EVP_MD_CTX_free(context);
	if (!good)
		return -1;
	encode(digest, text);
	return 0;
}
