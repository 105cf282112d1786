"""Tokens: who is let in, with real processes and keys that change."""
import base64
import json
import os
import subprocess
import time
import unittest

import sse_client
import tokens
from broker import BUILD, SANITIZED, BrokerCase, read_text, wait_for

# What needs a token and gives a small answer.
TARGET = "/stats"


class Tokens(BrokerCase):
    def jwt(self, keys=(), **settings):
        """A broker with a set of these keys."""
        broker = self.broker(start=False, auth__mode="jwt",
                             auth__leeway="0s", broker__log_level="debug",
                             **settings)
        self.set = os.path.join(broker.folder, "jwks.json")
        if keys:
            tokens.write_set(self.set, keys)
            broker.settings["auth.jwks_file"] = self.set
            broker.start()
        return broker

    def ask(self, broker, token=None, headers=(), target=TARGET,
            method="GET"):
        """(status, code) of a request; the code is None when it is let in."""
        if token is not None:
            headers = tokens.bearer(token) + tuple(headers)
        body, out = sse_client.fetch(broker.port, target, headers, method)
        if body.status == 200:
            return 200, None
        self.assertEqual(body.headers["content-type"],
                         "application/problem+json")
        said = json.loads(out)
        self.assertEqual(said["status"], body.status)
        for part in (token or "").split("."):
            self.assertFalse(part and part.encode() in out, out)
        self.authenticate = body.headers.get("www-authenticate")
        self.detail = said["detail"]
        return body.status, said["code"]

    def taken(self, broker, token):
        """Do all workers take it? One connection may reach any of them."""
        return all(self.ask(broker, token) == (200, None) for _ in range(8))

    def refused(self, broker, token):
        return all(self.ask(broker, token)[0] == 401 for _ in range(8))

    def assert_secret(self, broker, *texts):
        """No part of these tokens is in the log."""
        log = broker.log()
        for text in texts:
            for part in text.split("."):
                self.assertNotIn(part, log)

    def test_each_algorithm(self):
        keys = [tokens.make(name, kid=name) for name in tokens.ALGORITHMS]
        broker = self.jwt(keys)
        if not SANITIZED:
            for pid in broker.workers():
                self.assertRegex(read_text("/proc/%d/status" % pid),
                                 r"\nSeccomp:\s+2\n")
        for key in keys:
            self.assertTrue(self.taken(broker, key.token()), key.algorithm)
            stranger = tokens.make(key.algorithm, kid=key.kid)
            self.assertEqual(self.ask(broker, stranger.token()),
                             (401, "token-invalid"))
            self.assertIn("signature", self.detail)

    def test_each_kind_of_key_file(self):
        for name in ("HS256", "RS256", "ES384", "EdDSA"):
            key = tokens.make(name)
            broker = self.jwt()
            path = os.path.join(broker.folder, "key")
            broker.start({"auth.jwt_key_file": key.write(path)})
            self.assertEqual(self.ask(broker, key.token()), (200, None))
            broker.stop()
            tokens.write(path, json.dumps(key.jwk()).encode())
            broker.start()
            self.assertEqual(self.ask(broker, key.token()), (200, None))

    def test_who_is_refused_is_told_why(self):
        key = tokens.make("HS256", kid="a")
        broker = self.jwt([key], auth__issuer="https://id.example",
                          auth__audience="one, two",
                          auth__require_exp="on")
        good = {"iss": "https://id.example", "aud": ["x", "two"]}
        now = int(time.time())
        self.assertEqual(self.ask(broker, key.token(**good)), (200, None))
        self.assertEqual(self.ask(broker), (401, "token-missing"))
        self.assertEqual(self.authenticate, "Bearer")
        sent = []
        for code, word, claims in (
                ("token-expired", "expired", {"exp": now - 1}),
                ("token-invalid", "yet", {"nbf": now + 60}),
                ("token-invalid", "future", {"iat": now + 60}),
                ("token-invalid", "exp", {"exp": None}),
                ("token-invalid", "issuer", {"iss": "https://elsewhere"}),
                ("token-invalid", "audience", {"aud": "three"}),
                ("token-invalid", "user", {"sub": None}),
                ("token-invalid", "ssemux", {"ssemux": {"admin": 1}})):
            sent.append(key.token(**dict(good, **claims)))
            self.assertEqual(self.ask(broker, sent[-1]), (401, code), claims)
            self.assertIn(word, self.detail)
            self.assertEqual(self.authenticate,
                             'Bearer error="invalid_token"')
        self.assert_secret(broker, *sent)

    def test_a_stream_of_an_expired_token_is_refused(self):
        key = tokens.make()
        broker = self.jwt([key])
        headers = (("Accept", "text/event-stream"),)
        self.assertEqual(
            self.ask(broker, key.token(-1), headers, "/stream?channels=a"),
            (401, "token-expired"))
        self.assertEqual(self.ask(broker, None, headers,
                                  "/stream?channels=a"),
                         (401, "token-missing"))

    def test_a_stream_is_opened_with_a_token_of_any_place(self):
        key = tokens.make("ES256")
        broker = self.jwt([key], auth__cookie="session")
        text = key.token(ssemux={"subscribe": ["a"]})
        for options in ({"headers": tokens.bearer(text)},
                        {"query": "&access_token=" + text},
                        {"headers": (("Cookie", "session=" + text),)}):
            with broker.stream("a", **options) as stream:
                stream.start()
                broker.pub("a", "x")
                self.assertEqual(stream.tagged(1)[0]["data"], "x")
        self.assert_secret(broker, text)

    def test_places_of_a_token_and_their_order(self):
        key = tokens.make()
        broker = self.jwt([key], auth__cookie="session")
        good, bad = key.token(), key.token()[:-2]
        cookie = (("Cookie", "a=b; session=" + good + "; session2=x"),)
        query = TARGET + "?x=1&access_token="
        for expected, rows in (
                ((200, None), {"target": query + good}),
                ((200, None), {"headers": cookie}),
                ((200, None), {"token": good, "target": query + bad}),
                ((401, "token-invalid"),
                 {"token": bad, "target": query + good}),
                ((401, "token-invalid"),
                 {"headers": cookie, "target": query + bad}),
                ((401, "token-invalid"),
                 {"target": query + good + "&access_token=" + good}),
                ((401, "token-invalid"),
                 {"token": good, "headers": tokens.bearer(good)}),
                ((401, "token-invalid"),
                 {"headers": (("Cookie", "session=" + good +
                               "; session=" + bad),)}),
                ((401, "token-missing"),
                 {"headers": (("Cookie", "other=" + good),)}),
                ((401, "token-missing"),
                 {"headers": (("Authorization", "Basic " + good),)}),
                ((200, None),
                 {"headers": (("authorization", "bearer  " + good),)})):
            self.assertEqual(self.ask(broker, **rows), expected, rows)
        self.assert_secret(broker, good, bad)

    def test_a_cookie_counts_for_our_own_pages_only(self):
        key = tokens.make()
        broker = self.jwt([key], auth__cookie="session")
        cookie = ("Cookie", "session=" + key.token())
        own = "http://127.0.0.1:%d" % broker.port
        foreign = (403, "origin-not-allowed")
        for expected, row in (
                ((200, None), ("Origin", own)),
                (foreign, ("Origin", "http://elsewhere.example")),
                (foreign, ("Origin", own + "0")),
                (foreign, ("Origin", "null")),
                ((200, None), ("Sec-Fetch-Site", "same-origin")),
                ((200, None), ("Sec-Fetch-Site", "none")),
                (foreign, ("Sec-Fetch-Site", "cross-site"))):
            self.assertEqual(self.ask(broker, headers=(cookie, row)),
                             expected, row)
        # A token that a page has to know is no matter of cookies.
        self.assertEqual(self.ask(broker, key.token(), (
            ("Origin", "http://elsewhere.example"),)), (200, None))

    def rotates(self, replace):
        """A new key is taken, and the old one is gone, with streams open."""
        old, new = tokens.make("ES256", "old"), tokens.make("EdDSA", "new")
        broker = self.jwt([old])
        self.assertTrue(self.taken(broker, old.token()))
        self.assertEqual(self.ask(broker, new.token()),
                         (401, "token-invalid"))
        pids = broker.workers()
        replace([old, new])
        wait_for(lambda: self.taken(broker, new.token()), "the new key")
        self.assertTrue(self.taken(broker, old.token()))
        replace([new])
        wait_for(lambda: self.refused(broker, old.token()), "the old key's end")
        self.assertTrue(self.taken(broker, new.token()))
        self.assertEqual(broker.workers(), pids)
        # A worker that is born later knows what the others know.
        broker.kill_worker(pids[0])
        broker.workers()
        wait_for(lambda: self.taken(broker, new.token()), "the new worker")

    def test_keys_rotate_by_rename(self):
        self.rotates(lambda keys: tokens.write_set(self.set, keys))

    def test_keys_rotate_in_place(self):
        def rewrite(keys):
            with open(self.set, "w") as file:
                json.dump({"keys": [key.jwk() for key in keys]}, file)
        self.rotates(rewrite)

    def test_a_bad_file_leaves_the_keys_as_they_are(self):
        old, new = tokens.make("RS256"), tokens.make("RS256")
        broker = self.jwt([old])
        with open(self.set) as file:
            whole = file.read()
        refusals = 0
        for bad in (whole[:-10], "", "{}", '{"keys":[]}', "x" * 200000):
            before = broker.log().count("jwks.json")
            with open(self.set, "w") as file:
                file.write(bad)
            wait_for(lambda: broker.log().count("jwks.json") > before,
                     "a word about the file")
            self.assertTrue(self.taken(broker, old.token()), bad[:20])
            refusals += 1
        os.unlink(self.set)
        wait_for(lambda: "No such file" in broker.log(), "a warning")
        # Also a worker and a hub that are born meanwhile.
        broker.kill_worker(broker.workers()[0])
        broker.kill_hub()
        broker.workers()
        wait_for(lambda: self.taken(broker, old.token()), "the new worker")
        tokens.write_set(self.set, [new])
        wait_for(lambda: self.taken(broker, new.token()), "the new key")
        self.assertTrue(self.refused(broker, old.token()))
        admin = new.token(ssemux={"admin": True})
        stats = sse_client.fetch_json(broker.port, "/stats",
                                      tokens.bearer(admin))
        self.assertEqual(stats["key_files_taken_total"], 1)
        self.assertGreaterEqual(stats["key_files_refused_total"], 4)
        self.assertNotIn(base64.b64encode(b"keys").decode(), broker.log())

    def test_one_bad_file_does_not_hold_back_another(self):
        first, second = tokens.make(), tokens.make()
        broker = self.jwt()
        one = os.path.join(broker.folder, "one")
        two = os.path.join(broker.folder, "two")
        first.write(one), second.write(two)
        broker.start({"auth.jwt_key_file": one + ", " + two})
        third = tokens.make()
        tokens.write(one, b"")
        third.write(two)
        wait_for(lambda: self.taken(broker, third.token()), "the new key")
        self.assertTrue(self.taken(broker, first.token()))
        self.assertTrue(self.refused(broker, second.token()))

    def test_key_confusion_end_to_end(self):
        for name in ("RS256", "ES256", "EdDSA"):
            key = tokens.make(name)
            broker = self.jwt([key])
            for secret in (key.bytes(), key.bytes().strip(),
                           key.bytes("DER")):
                forged = tokens.Secret("HS256", secret=secret)
                self.assertEqual(self.ask(broker, forged.token()),
                                 (401, "token-invalid"))
            for alg in ("none", "None", "NONE", ""):
                text = tokens.part({"alg": alg}) + "." + tokens.part(
                    {"sub": "u1", "exp": int(time.time()) + 60}) + "."
                self.assertEqual(self.ask(broker, text),
                                 (401, "token-invalid"))

    @unittest.skipIf(os.getuid() != 0, "needs root")
    def test_workers_of_another_user_need_not_read_the_files(self):
        key, new = tokens.make("PS256"), tokens.make("HS512")
        broker = self.jwt()
        os.chmod(broker.folder, 0o755)
        path = os.path.join(broker.folder, "key")
        key.write(path)
        os.chmod(path, 0o600)
        state = os.path.join(broker.folder, "state")
        broker.start({"auth.jwt_key_file": path, "broker.user": "nobody",
                      "broker.state_dir": state})
        self.assertTrue(self.taken(broker, key.token()))
        tokens.write(path, new.file())
        os.chmod(path, 0o600)
        wait_for(lambda: self.taken(broker, new.token()), "the new key")
        for pid in broker.workers():
            self.assertNotEqual(os.stat("/proc/%d" % pid).st_uid, 0)

    def check(self, *settings):
        """ssemuxd -t: (exit status, what it said)."""
        command = [os.path.join(BUILD, "ssemuxd"), "-t"]
        for setting in ("auth.mode=jwt",) + settings:
            command += ["-o", setting]
        done = subprocess.run(command, capture_output=True, text=True,
                              timeout=60)
        return done.returncode, done.stdout + done.stderr

    def test_bad_keys_are_found_before_the_start(self):
        broker = self.jwt()
        path = os.path.join(broker.folder, "key")
        setting = "auth.jwt_key_file=" + path
        self.assertEqual(self.check()[0], 78)
        self.assertEqual(self.check(setting)[0], 78)
        rsa = tokens.Public("RS256")
        weak = tokens.Public("RS256", private=tokens.generate("RS256", 1024))
        from cryptography.hazmat.primitives import serialization as form
        private = rsa.private.private_bytes(
            form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        for data, word in (
                (b"", "empty"), (b"\n", "empty"), (private, "private"),
                (weak.file(), "2048"), (rsa.bytes("DER"), "PEM"),
                (b"".join(rsa.bytes().splitlines()[1:-1]), "PEM"),
                (rsa.bytes("OpenSSH", "OpenSSH"), "PEM"),
                (rsa.bytes()[:-30], "PEM"), (b"{}", "kty"),
                (b"{" + b"x" * 40, "JSON")):
            status, said = self.check("auth.jwt_key_file=" +
                                      tokens.write(path, data))
            self.assertEqual(status, 78, said)
            self.assertIn(word, said)
        # What begins with a brace is JSON.
        for data in (b"short", b"\x80" + os.urandom(30)):
            status, said = self.check("auth.jwt_key_file=" +
                                      tokens.write(path, data))
            self.assertEqual(status, 0, said)
            self.assertIn("fewer than 32 bytes", said)
        self.assertEqual(self.check(setting, "auth.cookie=a b")[0], 78)
        self.assertEqual(self.check(setting, "auth.user_claim={")[0], 78)

    def test_with_bad_keys_there_is_no_start(self):
        broker = self.jwt()
        broker.settings["auth.jwks_file"] = tokens.write(
            os.path.join(broker.folder, "set"), b'{"keys":[')
        broker.start(wait=False)
        self.assertEqual(broker.process.wait(30), 78)
        self.assertIn("jwks_file", broker.log())
        broker.process = None

    def test_with_tokens_any_address_may_be_served(self):
        broker = self.jwt([tokens.make()])
        broker.stop()
        broker.start({"http.listen": "*:%d" % broker.port})


if __name__ == "__main__":
    unittest.main()
