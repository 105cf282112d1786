/*
 * auth_judge: the two halves of what a token says. Only auth_*.c look here.
 */
#ifndef SSEMUX_SHARED_AUTH_JUDGE_H
#define SSEMUX_SHARED_AUTH_JUDGE_H

#include "broker/shared/auth_key.h"
#include "broker/shared/auth_token.h"

/* What a header asks for. */
struct auth_header {
	const struct auth_algorithm *algorithm;
	char kid[AUTH_KID_MAX];
	size_t kid_len; /* 0: none */
};

/* Reads a header, decoded. */
enum auth_verdict auth_judge_header(
    struct slice json, struct auth_header *header);

/* Looks at the claims that RFC 7519 knows, and fills the token's times. */
enum auth_verdict auth_judge_claims(
    struct auth_token *token, const struct auth_rules *rules, uint64_t now_ms);

/* Fills user and grants from the token's claims. */
enum auth_verdict auth_judge_grants(
    struct auth_token *token, const struct auth_rules *rules);

#endif
