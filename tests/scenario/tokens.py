"""tokens: makes keys, key files and JSON Web Tokens for the scenarios.

    key = tokens.Secret()                    HMAC, with the standard library
    key = tokens.make("RS256", kid="a")      any algorithm, cryptography's keys
    text = key.token(sub="u1", org=["1"])    exp is in an hour, iat is now
    key.write(path)                          as auth.jwt_key_file
    tokens.write_set(path, [key, other])     as auth.jwks_file

What a test forges is made by hand: sign(header, claims) signs any bytes.
"""
import base64
import hashlib
import hmac
import json
import os
import time

ALGORITHMS = ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256",
              "ES256", "ES384", "EdDSA")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size=None):
    return base64url(value.to_bytes(size or (value.bit_length() + 7) // 8,
                                    "big"))


def part(value):
    """A part of a token: bytes as they are, anything else as JSON."""
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes):
        value = json.dumps(value, separators=(",", ":")).encode()
    return base64url(value)


def write(path, data):
    """Replaces the file by rename, as who rotates keys should."""
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)
    return path


class Key:
    """What all keys do; a kind has public(), file() and signature()."""

    def __init__(self, algorithm, kid=None):
        self.algorithm = algorithm
        self.kid = kid

    def header(self, **members):
        header = {"alg": self.algorithm, "typ": "JWT"}
        if self.kid is not None:
            header["kid"] = self.kid
        header.update(members)
        return {name: value for name, value in header.items()
                if value is not None}

    def sign(self, header, claims):
        """A token of these two parts, whatever they are."""
        text = part(header) + "." + part(claims)
        return text + "." + base64url(self.signature(text.encode()))

    def token(self, expires_in=3600, header=None, **claims):
        """A good token; a claim that is None is left out."""
        now = int(time.time())
        rows = {"sub": "u1", "iat": now, "exp": now + expires_in}
        rows.update(claims)
        rows = {name: value for name, value in rows.items()
                if value is not None}
        return self.sign(self.header(**(header or {})), rows)

    def jwk(self, **members):
        jwk = dict(self.public(), alg=self.algorithm, use="sig")
        if self.kid is not None:
            jwk["kid"] = self.kid
        jwk.update(members)
        return jwk

    def write(self, path):
        return write(path, self.file())


class Secret(Key):
    """HS256, HS384 or HS512."""

    def __init__(self, algorithm="HS256", kid=None, secret=None):
        super().__init__(algorithm, kid)
        self.secret = secret or os.urandom(48).hex().encode()

    def signature(self, data):
        return hmac.new(self.secret, data,
                        getattr(hashlib, "sha" + self.algorithm[2:])).digest()

    def public(self):
        return {"kty": "oct", "k": base64url(self.secret)}

    def file(self):
        return self.secret


class Public(Key):
    """A pair of keys of python3-cryptography."""

    def __init__(self, algorithm, kid=None, private=None):
        super().__init__(algorithm, kid)
        self.private = private or generate(algorithm)

    def signature(self, data):
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import (
            ec, padding, utils)
        if self.algorithm == "EdDSA":
            return self.private.sign(data)
        digest = getattr(hashes, "SHA" + self.algorithm[2:])()
        if self.algorithm.startswith("ES"):
            size = (self.private.key_size + 7) // 8
            pair = utils.decode_dss_signature(
                self.private.sign(data, ec.ECDSA(digest)))
            return b"".join(each.to_bytes(size, "big") for each in pair)
        if self.algorithm.startswith("PS"):
            return self.private.sign(data, padding.PSS(
                padding.MGF1(digest), digest.digest_size), digest)
        return self.private.sign(data, padding.PKCS1v15(), digest)

    def public(self):
        public = self.private.public_key()
        if self.algorithm == "EdDSA":
            return {"kty": "OKP", "crv": "Ed25519",
                    "x": base64url(self.bytes("Raw", "Raw"))}
        numbers = public.public_numbers()
        if self.algorithm.startswith("ES"):
            size = (public.key_size + 7) // 8
            return {"kty": "EC", "crv": "P-%d" % public.key_size,
                    "x": number(numbers.x, size),
                    "y": number(numbers.y, size)}
        return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}

    def bytes(self, encoding="PEM", form="SubjectPublicKeyInfo"):
        from cryptography.hazmat.primitives import serialization
        return self.private.public_key().public_bytes(
            getattr(serialization.Encoding, encoding),
            getattr(serialization.PublicFormat, form))

    def file(self):
        return self.bytes()


def generate(algorithm, bits=2048):
    """A private key for the algorithm."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "ES384":
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def make(algorithm="HS256", kid=None):
    """A new key for the algorithm."""
    if algorithm.startswith("HS"):
        return Secret(algorithm, kid)
    return Public(algorithm, kid)


def write_set(path, keys, **members):
    """A JSON Web Key Set."""
    return write(path, json.dumps(dict(
        {"keys": [key.jwk() for key in keys]}, **members)).encode())


def bearer(token):
    """Headers of a request with the token."""
    return (("Authorization", "Bearer " + token),)
