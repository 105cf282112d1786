"""Rules: who may publish what and withdraw channels, by the user and groups
that the kernel knows of a publisher.

With real users when the test runs as root; else with the test's own alone, and
what needs more says so, loudly, as skipped.
"""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import unittest

import msgpack_wire as wire
from broker import BUILD, BrokerCase

ROOT = os.geteuid() == 0
OWN = 61000 if ROOT else os.geteuid()   # whom blocks are about
OTHER, NOBODY, ADMIN = 61001, 61002, 61003
TEAM, STAFF = 62001, 62002              # groups


def needs_users(test):
    """A test with publishers of several users."""
    def run(self):
        if not ROOT:
            print("\nNOT ROOT: %s is not tested: it needs several users" %
                  test.__name__, file=sys.stderr, flush=True)
            self.skipTest("needs root, for several users")
        test(self)
    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@contextlib.contextmanager
def acting_as(uid, gid=None, groups=()):
    """What connects inside is of that user and those groups."""
    if uid == os.geteuid() and gid is None and not groups:
        yield
        return
    before = os.getgroups(), os.getegid(), os.geteuid()
    os.setgroups(list(groups))
    os.setegid(uid if gid is None else gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(before[2])
        os.setegid(before[1])
        os.setgroups(before[0])


class Rules(BrokerCase):
    def rule_broker(self, rules=(), **settings):
        """A broker with blocks, whose socket everybody can open."""
        broker = self.broker(start=False, publish__mode="0666", **settings)
        os.chmod(broker.folder, 0o755)
        self.rule(broker, rules)
        return broker.start()

    @staticmethod
    def rule(broker, rules):
        """These blocks from the next start on; {"user 7": {key: value}}."""
        for key in [key for key in broker.settings
                    if key.startswith("publisher ")]:
            del broker.settings[key]
        for block, keys in dict(rules).items():
            for key, value in keys.items():
                broker.settings["publisher %s.%s" % (block, key)] = value

    def connect(self, broker, uid, gid=None, groups=(), name=None):
        with acting_as(uid, gid, groups):
            publisher = broker.publisher(name or "p%d" % uid)
        self.addCleanup(publisher.close)
        return publisher

    def may(self, publisher, *channels):
        for channel in channels:
            self.assertGreater(publisher.publish(channel, "x"), 0)

    def may_not(self, publisher, *channels):
        """Each is refused as it should be, and the connection goes on."""
        for channel in channels:
            for message in ([wire.PUBLISH, publisher.seq + 1, channel, None,
                             None, "x"],
                            [wire.RESYNC, publisher.seq + 2, channel]):
                publisher.send(message)
                publisher.seq = message[1]
                with self.assertRaises(wire.Refused) as caught:
                    publisher.ack()
                self.assertEqual(
                    (caught.exception.seq, caught.exception.code,
                     caught.exception.field),
                    (message[1], "not-allowed", "channel"))

    def command(self, publisher, *words):
        """The answer to a command: (count, late), or its code."""
        publisher.send([wire.COMMAND, 77] + list(words))
        answer = publisher.receive()
        self.assertEqual(answer[1], 77, answer)
        if answer[0] == wire.DONE:
            return tuple(answer[2:4])
        self.assertEqual(answer[0], wire.FAILED, answer)
        self.assertTrue(answer[4], "a sentence for people")
        return answer[2]

    def program(self, broker, name, *arguments, uid, gid=None, data=""):
        """Runs one of our programs as that user, from where it may read."""
        copy = os.path.join(broker.folder, name)
        if not os.path.exists(copy):
            shutil.copy(os.path.join(BUILD, name), copy)
            os.chmod(copy, 0o755)
        who = {"user": uid, "group": uid if gid is None else gid,
               "extra_groups": []} if ROOT else {}
        return subprocess.run(
            [copy, "-s", broker.socket] + list(arguments), input=data,
            capture_output=True, text=True, timeout=60, cwd="/", **who)

    # ---- with one user

    def test_a_user_may_publish_what_its_block_says_and_no_more(self):
        broker = self.rule_broker(
            {"user %d" % OWN: {"channels": "orders, shop:*"}})
        publisher = self.connect(broker, OWN)
        self.may(publisher, "orders", "shop:a", "shop:a:b")
        self.may_not(publisher, "order", "orders:1", "shop", "other")
        self.may(publisher, "orders")
        self.assertEqual([row[1] for row in broker.stored()],
                         ["orders", "shop:a", "shop:a:b", "orders"])
        stats = broker.stats()
        self.assertEqual(stats["not_allowed_total"], 8)
        self.assertEqual(stats["events_refused_total"], 8)

    def test_refused_and_taken_events_are_answered_in_order(self):
        broker = self.rule_broker({"user %d" % OWN: {"channels": "a"}})
        publisher = self.connect(broker, OWN)
        publisher.offer_many(("ab"[number % 2], "x") for number in range(200))
        codes = []
        for number in range(200):
            answer = publisher.receive()
            self.assertEqual(answer[1], number + 1)
            codes.append(answer[0])
        self.assertEqual(codes, [wire.ACK, wire.ERROR] * 100)

    def test_who_is_no_administrator_may_withdraw_nothing(self):
        broker = self.rule_broker({"user %d" % OWN: {"channels": "*"}})
        publisher = self.connect(broker, OWN)
        for words in (["kick", "u", None], ["revoke", "u", "a"],
                      ["restore", "u", None], ["trace", None, "1-0"],
                      ["explain", "u", "1-0"]):
            self.assertEqual(self.command(publisher, *words), "not-allowed")
        self.may(publisher, "anything")
        publisher.send([wire.STATUS])  # which names nobody
        self.assertEqual(json.loads(publisher.receive()[1])["revocations"], 0)

    def test_an_administrator_may_withdraw_and_publishes_by_its_channels(self):
        broker = self.rule_broker(
            {"user %d" % OWN: {"channels": "a", "admin": "on"}})
        publisher = self.connect(broker, OWN)
        self.assertEqual(self.command(publisher, "kick", "u", None), (0, 0))
        self.assertEqual(self.command(publisher, "restore", "u", "*"), (1, 0))
        self.may(publisher, "a")
        publisher.send([wire.PUBLISH, 2, "b", None, None, "x"])
        self.assertEqual(publisher.receive()[2], "not-allowed")
        publisher.seq = 2
        publisher.send([wire.RESYNC, 3, "b"])  # resync of anything
        self.assertEqual(publisher.ack()[0], 3)

    def test_what_was_stored_before_a_rule_is_acknowledged_again(self):
        broker = self.rule_broker()
        publisher = self.connect(broker, OWN, name="old")
        cursor = publisher.publish("a", "x")
        publisher.close()
        self.assertEqual(broker.stop(), 0)
        self.rule(broker, {"user %d" % OWN: {"channels": "b"}})
        broker.start()
        publisher = self.connect(broker, OWN, name="old")
        publisher.send([wire.PUBLISH, 1, "a", None, None, "x"])
        self.assertEqual(publisher.ack(), (1, cursor, True))
        self.may_not(publisher, "a")

    def test_programs_end_with_77_and_name_the_channel(self):
        broker = self.rule_broker({"user %d" % OWN: {"channels": "a:*"}})
        done = self.program(broker, "ssemux-pub", "a:b", "x", uid=OWN)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = self.program(broker, "ssemux-pub", "secret:b", "x", uid=OWN)
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertIn("secret:b", done.stderr)
        done = self.program(broker, "ssemux-pub", "--resync", "c", uid=OWN)
        self.assertEqual(done.returncode, 77, done.stderr)
        lines = "".join('{"channel":"%s","data":1}\n' % name
                        for name in ("a:1", "secret", "a:2"))
        done = self.program(broker, "ssemux-pub", "-j", uid=OWN, data=lines)
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertRegex(done.stderr, "line 2: .*secret")
        for arguments in (["kick", "u"], ["revoke", "u", "a"],
                          ["restore", "u"], ["resync", "secret"],
                          ["drain"]):
            done = self.program(broker, "ssemuxctl", *arguments, uid=OWN)
            self.assertEqual(done.returncode, 77, (arguments, done.stderr))
            self.assertIn("not allowed", done.stderr)
        done = self.program(broker, "ssemuxctl", "resync", "a:b", uid=OWN)
        self.assertEqual(done.returncode, 0, done.stderr)

    # ---- with several

    @needs_users
    def test_without_blocks_everybody_may_do_everything(self):
        broker = self.rule_broker()
        for uid in (OWN, OTHER):
            publisher = self.connect(broker, uid)
            self.may(publisher, "a", "b:c")
            self.assertEqual(self.command(publisher, "kick", "u", None),
                             (0, 0))

    @needs_users
    def test_each_user_and_group_has_its_own_rules_and_they_add_up(self):
        broker = self.rule_broker({
            "user %d" % OWN: {"channels": "own:*"},
            "user %d" % OTHER: {"channels": "other:*"},
            "group %d" % TEAM: {"channels": "team:*"},
            "group %d" % STAFF: {"channels": "staff", "admin": "on"},
        })
        for who, yes, no in (
                ((OWN,), ["own:a"], ["other:a", "team:a", "staff"]),
                ((OTHER,), ["other:a"], ["own:a", "team:a"]),
                ((OWN, TEAM), ["own:a", "team:a"], ["other:a", "staff"]),
                ((OWN, OWN, [TEAM]), ["own:a", "team:a"], ["staff"]),
                ((NOBODY, NOBODY, [5, TEAM]), ["team:a"], ["own:a"]),
                ((NOBODY,), [], ["own:a", "other:a", "team:a", "a"]),
                # A user's number is no group's, and the other way round.
                ((TEAM, NOBODY), [], ["team:a"]),
                ((NOBODY, OWN), [], ["own:a"]),
                ((0, 0), ["own:a", "anything"], [])):
            with self.subTest(who=who):
                publisher = self.connect(broker, *who, name="p")
                self.may(publisher, *yes)
                self.may_not(publisher, *no)
                publisher.close()
        publisher = self.connect(broker, ADMIN, ADMIN, [TEAM, STAFF])
        self.may(publisher, "team:a", "staff")
        self.assertEqual(self.command(publisher, "kick", "u", None), (0, 0))
        publisher = self.connect(broker, 0)
        self.assertEqual(self.command(publisher, "restore", "u", None), (1, 0))

    @needs_users
    def test_a_name_of_this_machine_may_stand_for_its_number(self):
        broker = self.rule_broker({
            "user nobody": {"channels": "n"},
            "group daemon": {"channels": "d"}})
        publisher = self.connect(broker, 65534, 65534, [1])
        self.may(publisher, "n", "d")
        self.may_not(publisher, "x")

    @needs_users
    def test_the_rules_of_the_connection_stay_whoever_uses_it(self):
        broker = self.rule_broker({"user %d" % OWN: {"channels": "a"}})
        publisher = self.connect(broker, NOBODY)
        with acting_as(OWN):
            self.may_not(publisher, "a")
        publisher = self.connect(broker, OWN)
        with acting_as(NOBODY):
            self.may(publisher, "a")


if __name__ == "__main__":
    unittest.main()
