/*
 * auth_key_file: the file of a key: PEM, JSON Web Key, or a secret.
 *
 * A file is a secret only when it is nothing else. Were a public key taken for
 * one, whoever knows it, which is everybody, could sign tokens with it: so its
 * usual forms other than PEM are recognised, and refused.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "broker/shared/auth_keyring.h"

static const char armour[] = "-----BEGIN ";

/* --- PEM --- */

static size_t
count_armour(struct slice bytes)
{
	const char *at = bytes.bytes, *end = bytes.bytes + bytes.len;
	size_t count = 0;

	while (at < end && (at = memmem(at, (size_t)(end - at), armour,
				sizeof(armour) - 1)) != NULL) {
		at += sizeof(armour) - 1;
		count++;
	}
	return count;
}

/* The key of one block, which is "PUBLIC KEY" or such; or NULL and *why. */
static EVP_PKEY *
read_block(
    const char *name, const unsigned char *der, long len, const char **why)
{
	const unsigned char *at = der;
	EVP_PKEY *public = NULL;

	*why = "a PEM block cannot be read";
	if (strcmp(name, PEM_STRING_PUBLIC) == 0)
	public = d2i_PUBKEY(NULL, &at, len);
	else if (strcmp(name, PEM_STRING_RSA_PUBLIC) == 0) public =
	    d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, len);
	else if (strstr(name, "PRIVATE KEY") != NULL) *why =
	    "it holds a private key; the broker wants the public "
	    "key alone";
	else *why = "a PEM block is not a public key";
	if (public == NULL || at == der + len)
		return public;
	EVP_PKEY_free(public);
	return NULL;
}

/* Adds the key of the next block. */
static int
take_block(BIO *file, struct auth_keys *keys, const char **why)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	EVP_PKEY *public = NULL;
	struct auth_key key;
	long len;

	*why = "a PEM block cannot be read";
	if (PEM_read_bio(file, &name, &header, &der, &len) == 1)
	public = read_block(name, der, len, why);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	if (public == NULL || auth_key_from_public(&key, public, why) == -1)
		return -1;
	return auth_keyring_add(keys, &key, why);
}

static int
read_pem(struct slice bytes, struct auth_keys *keys, const char **why)
{
	BIO *file = BIO_new_mem_buf(bytes.bytes, (int)bytes.len);
	size_t count = count_armour(bytes);
	int result = file != NULL ? 0 : -1;

	*why = "there is no memory";
	for (size_t i = 0; i < count && result == 0; i++)
		result = take_block(file, keys, why);
	BIO_free(file);
	ERR_clear_error();
	return result;
}

/* --- a secret, or what must not be taken for one --- */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice
without_space(struct slice text)
{
	while (text.len > 0 && is_space(text.bytes[0]))
		text = slice_of(text.bytes + 1, text.len - 1);
	while (text.len > 0 && is_space(text.bytes[text.len - 1]))
		text.len--;
	return text;
}

static bool
is_text(struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		char c = bytes.bytes[i];

		if ((c < ' ' || c > '~') && !is_space(c))
			return false;
	}
	return true;
}

/* Is it one SEQUENCE of ASN.1, from its first byte to its last? */
static bool
is_der(struct slice bytes)
{
	const unsigned char *at = (const unsigned char *)bytes.bytes;
	size_t head = 2, len;

	if (bytes.len < 2 || at[0] != 0x30)
		return false;
	len = at[1];
	if (len > 0x80) {
		head += len - 0x80;
		if (head > 6 || head > bytes.len)
			return false;
		len = 0;
		for (size_t i = 2; i < head; i++)
			len = len << 8 | at[i];
	}
	return head + len == bytes.len;
}

/* How public keys begin when they are written in base64 or for SSH. */
static bool
begins_as_public(struct slice text)
{
	static const char *const beginnings[] = {"MII", "MIG", "MIH",
	    "MFkwEwYHKoZIzj0C", "MHYwEAYHKoZIzj0C", "MCowBQYDK2Vw", "ssh-",
	    "ecdsa-sha2-"};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]);
	     i++) {
		if (slice_starts_with(text, slice_of_text(beginnings[i])))
			return true;
	}
	return false;
}

static bool
holds(struct slice bytes, const char *word)
{
	return memmem(bytes.bytes, bytes.len, word, strlen(word)) != NULL;
}

/* Is it, by all its looks, something else than a secret? */
static bool
looks_public(struct slice bytes)
{
	static const struct slice marks[] = {
	    {"\xEF\xBB\xBF", 3}, {"\xFF\xFE", 2}, {"\xFE\xFF", 2}};

	/* A file of text in which the rest would not be recognised. */
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (slice_starts_with(bytes, marks[i]))
			return true;
	}
	return is_der(bytes) || begins_as_public(without_space(bytes)) ||
	       holds(bytes, "PUBLIC KEY") || holds(bytes, "PRIVATE KEY") ||
	       holds(bytes, "CERTIFICATE");
}

static struct slice
without_line_end(struct slice text)
{
	if (text.len > 0 && text.bytes[text.len - 1] == '\n')
		text.len--;
	if (text.len > 0 && text.bytes[text.len - 1] == '\r')
		text.len--;
	return text;
}

static int
read_secret(struct slice bytes, struct auth_keys *keys,
    const struct auth_notes *notes, const char **why)
{
	struct auth_key key;

	*why =
	    "it looks like a key or a text in a form that is not known here; "
	    "public keys must be PEM";
	if (looks_public(bytes))
		return -1;
	if (is_text(bytes))
		bytes = without_line_end(bytes);
	if (auth_key_from_secret(&key, bytes, why) == -1)
		return -1;
	if (bytes.len < AUTH_SECRET_BYTES_ENOUGH)
		auth_keyring_note(notes, "the secret has fewer than 32 bytes");
	return auth_keyring_add(keys, &key, why);
}

int
auth_key_file_read(struct slice bytes, struct auth_keys *keys,
    const struct auth_notes *notes, const char **why)
{
	struct slice text = without_space(bytes);

	*why = "it is empty";
	if (text.len == 0)
		return -1;
	if (count_armour(bytes) > 0)
		return read_pem(bytes, keys, why);
	if (text.bytes[0] == '{')
		return auth_jwk_read(bytes, keys, notes, why);
	return read_secret(bytes, keys, notes, why);
}
