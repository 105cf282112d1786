"""POST /publish: what comes over HTTP is stored once and in order, or refused
with the code that the publisher socket has for it."""
import http.client
import json
import os
import random
import resource
import signal
import sqlite3
import threading
import unittest

import msgpack_wire as wire
from broker import SCALE, BrokerCase, tagged, wait_for

JSON = {"Content-Type": "application/json"}


def post(broker, body, target="/publish", headers=None, timeout=30):
    """(status, parsed answer, headers)"""
    connection = http.client.HTTPConnection("127.0.0.1", broker.port,
                                            timeout=timeout)
    try:
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        connection.request("POST", target, body,
                           JSON if headers is None else headers)
        answer = connection.getresponse()
        return (answer.status, json.loads(answer.read()),
                {name.lower(): value for name, value in answer.getheaders()})
    finally:
        connection.close()


def with_key(key):
    return dict(JSON, **{"Idempotency-Key": key})


class Publish(BrokerCase):
    def stored(self, broker, body, **rest):
        status, answer, _ = post(broker, body, **rest)
        self.assertEqual(status, 200, answer)
        return answer

    def code(self, broker, body, **rest):
        """(status, code) of what must be a problem."""
        status, answer, headers = post(broker, body, **rest)
        self.assertEqual(headers["content-type"], "application/problem+json")
        self.assertEqual(answer["status"], status)
        return status, answer["code"]

    def test_an_event_arrives_as_it_was_sent(self):
        broker = self.broker()
        with broker.stream("org:*") as stream:
            stream.start()
            answer = self.stored(broker, {
                "channel": "org:42:orders", "type": "order.updated",
                "key": "ord_42", "data": {"status": "shipped"}})
            event = stream.events(1)[0]
        self.assertEqual(answer, {"cursor": event.id, "duplicate": False})
        got = tagged(event)
        del got["ts"]
        self.assertEqual(got, {
            "channel": "org:42:orders", "type": "order.updated",
            "key": "ord_42", "data": {"status": "shipped"}})

    def test_what_is_wrong_is_said_and_where(self):
        broker = self.broker()
        event = '{"channel":"c","data":%s}'
        rows = [
            (event % "[1,]", "not JSON, near byte 26 of 27"),
            (event % '"x', "not JSON, near byte 25 of 25"),
            ("", "not JSON, near byte 0 of 0"),
            (event % ("[" * 65 + "]" * 65), "nested too deeply, near byte"),
            (b'{"channel":"\xff"}', "not UTF-8"),
            (event % '1,"dta":2', 'entry 1: a member that is not known: "dta"'),
            (event % '1,"data":2', 'entry 1: a member is given twice: "data"'),
            ("[%s,%s]" % (event % 1, event % ('1,"\u00fc%s":2' % ("x" * 99))),
             'entry 2: a member that is not known: "??x'),
            ('{"channel":5,"data":1}', "entry 1: channel is no string"),
            ("[]", "the list is empty"),
            ('{"channel":"c"}', "there are no data"),
            ('[{"channel":"c"}]', "there are no data"),
            ('{"channel":"a b","data":1}', "is 1 to 200 characters"),
            (event % '1,"type":"live"', "the name of a control event"),
            (event % ('1,"key":"%s"' % ("k" * 201)), "a key is at most"),
            (event % ('1,"id":"%s"' % ("i" * 256)), "an id is at most 255"),
            ("[%s]" % (event % ('1,"id":"%s"' % ("i" * 256))), "an id is"),
        ]
        for body, said in rows:
            if isinstance(body, str):
                body = body.encode()
            _, answer, _ = post(broker, body)
            if "results" in answer:
                answer = answer["results"][0]
            self.assertIn(said, answer["detail"], body[:80])

    def test_data_keep_their_bytes(self):
        broker = self.broker()
        rows = [  # in the body, in the stream's raw format
            ('{"b":1.0,"a":[1e3, 12345678901234567890]}',) * 2,
            ("[ ]",) * 2, ("-0.50",) * 2, ("null",) * 2, ("true",) * 2,
            (r'"\u00e9\ud83d\ude00\n\"\\\/"', 'é😀\n"\\/'),
            (r'"{\"a\":1}"', '{"a":1}'),
            ('{"\\u0061":"\\u0062"}',) * 2,
        ]
        with broker.stream("d", query="&format=raw") as stream:
            stream.start()
            for sent, expected in rows:
                self.stored(broker, '{"channel":"d","data":%s}' % sent)
                self.assertEqual(stream.events(1)[0].data, expected)

    def test_what_text_is_taken_for(self):
        broker = self.broker()
        text = {"Content-Type": "text/plain"}
        rows = [
            ({"channel": "d", "data": '{"a":1}'}, "/publish", None, '{"a":1}'),
            ({"channel": "d", "data": '{"a":1}', "json": True}, "/publish",
             None, {"a": 1}),
            ('{"a":1}', "/publish?channel=d", text, {"a": 1}),
            ("7", "/publish?channel=d", text, "7"),
            ("7", "/publish?channel=d", JSON, 7),
            (b"\xff\0", "/publish?channel=d",
             {"Content-Type": "application/octet-stream"}, "/wA="),
            ("", "/publish?channel=d", text, ""),
            ("x", "/publish?type=t&channel=d&key=a%20b", {}, "x"),
        ]
        with broker.stream("d") as stream:
            stream.start()
            for body, target, headers, expected in rows:
                self.stored(broker, body, target=target, headers=headers)
                got = stream.tagged(1)[0]
                self.assertEqual(got["data"], expected)
        self.assertEqual((got["type"], got["key"]), ("t", "a b"))

    def test_a_list_is_answered_with_a_list(self):
        broker = self.broker()
        good = [{"channel": "l", "data": n} for n in range(1000)]
        answer = self.stored(broker, good)
        cursors = [each["cursor"] for each in answer["results"]]
        stored = broker.stored()
        self.assertEqual([row[4] for row in stored],
                         [b"%d" % n for n in range(1000)])
        self.assertEqual(cursors, ["%d-%d" % (row[0] >> 20, row[0] & 0xfffff)
                                   for row in stored])

    def test_who_is_refused_does_not_stop_the_others(self):
        broker = self.broker(publish__max_event=64)
        status, answer, _ = post(broker, [
            {"channel": "l", "data": 1},
            {"channel": "a b", "data": 1},
            {"channel": "l", "data": 1, "type": "bye"},
            {"channel": "l", "data": 1, "key": "a\nb"},
            {"channel": "l"},
            {"channel": "l", "data": "x" * 65},
            {"channel": "l", "data": "{", "json": True},
            {"channel": "l", "data": 2},
        ])
        self.assertEqual(status, 422)
        self.assertEqual([each.get("code") for each in answer["results"]],
                         [None, "channel", "type", "key", "data",
                          "too-large", "json", None])
        self.assertEqual([each.get("field") for each in answer["results"]],
                         [None, "channel", "type", "key"] + ["data"] * 3 +
                         [None])
        self.assertEqual([row[4] for row in broker.stored()], [b"1", b"2"])
        status, answer, _ = post(broker, [{"channel": "", "data": 1}])
        self.assertEqual(status, 422)
        self.assertTrue(answer["results"][0]["detail"])

    def test_a_single_refusal_is_a_problem_with_the_same_code(self):
        broker = self.broker(publish__max_event=64)
        raw = "/publish?channel="
        for status, code, body, target in (
                (422, "channel", {"data": 1}, "/publish"),
                (422, "type", {"channel": "l", "data": 1, "type": "live"},
                 "/publish"),
                (422, "key", {"channel": "l", "data": 1, "id": "i" * 256},
                 "/publish"),
                (422, "data", {"channel": "l"}, "/publish"),
                (422, "json", b"{", raw + "l"),
                (413, "too-large", b'"' + b"x" * 65 + b'"', raw + "l")):
            self.assertEqual(self.code(broker, body, target=target),
                             (status, code))
        self.assertEqual(self.code(broker, b"\xff", target=raw + "l",
                                   headers={}), (422, "utf8"))
        self.assertEqual(broker.stored(), [])

    def test_what_cannot_be_understood_is_refused_whole(self):
        broker = self.broker(http__publish_list=3)
        for body in (b"", b"{", b"7", b"[]", b"[7]", b"\xff", b'{"x":1}',
                     b'{"channel":"a","data":1,"channel":"b"}',
                     b'{"channel":"a","data":1,"\\u0064ata":2}',
                     b'{"channel":"a","data":"\\ud800"}',
                     b'{"channel":1,"data":1}',
                     b'{"channel":"a","data":1,"type":{}}',
                     b'{"channel":"a","data":1,"json":1}',
                     b'{"channel":"a","data":1} 7',
                     b'[{"channel":"a","data":1},{"channel":"a","no":1}]',
                     b"[" * 65 + b"]" * 65):
            self.assertEqual(self.code(broker, body), (400, "body-invalid"))
        many = [{"channel": "a", "data": 1}] * 4
        self.assertEqual(self.code(broker, many), (413, "events-too-many"))
        one = many[0]
        self.assertEqual(self.code(broker, one, headers={}),
                         (415, "media-type"))
        for key in ("", "k" * 256):
            self.assertEqual(self.code(broker, one, headers=with_key(key)),
                             (400, "idempotency-key"))
        self.assertEqual(self.code(broker, one, target="/publish?channel=%zz"),
                         (400, "query-invalid"))
        self.assertEqual(
            self.code(broker, one, target="/publish?channel=a&channel=b"),
            (400, "query-duplicate"))
        self.assertEqual(broker.stored(), [])

    def test_a_repeat_gets_the_first_answer(self):
        broker = self.broker(broker__workers=3)
        body = [{"channel": "a", "data": n} for n in range(3)]
        first = self.stored(broker, body, headers=with_key("k"))["results"]
        self.assertEqual([each["duplicate"] for each in first], [False] * 3)
        expected = [dict(each, duplicate=True) for each in first]
        for kill in (None, broker.kill_hub, None):
            if kill:
                kill()
            for _ in range(4):
                again = self.stored(broker, body, headers=with_key("k"))
                self.assertEqual(again["results"], expected)
        broker.stop()
        broker.start()
        again = self.stored(broker, body, headers=with_key("k"))
        self.assertEqual(again["results"], expected)
        other = self.stored(broker, body, headers=with_key("K"))["results"]
        self.assertNotIn(True, [each["duplicate"] for each in other])
        self.assertEqual(len(broker.stored()), 6)

    def test_the_same_key_at_several_workers_at_once(self):
        broker = self.broker(broker__workers=3)
        # More than a hub reads at once, so that workers take turns there.
        body = [{"channel": "a", "data": "%d" % n + " " * 2000}
                for n in range(400)]
        for turn in range(5):
            answers = []
            threads = [threading.Thread(target=lambda: answers.append(
                post(broker, body, headers=with_key(str(turn)))))
                for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            self.assertEqual([status for status, _, _ in answers], [200] * 6)
            cursors = {tuple(each["cursor"] for each in answer["results"])
                       for _, answer, _ in answers}
            self.assertEqual(len(cursors), 1)
            fresh = [not each["duplicate"] for _, answer, _ in answers
                     for each in answer["results"]]
            self.assertEqual(sum(fresh), 400)
        self.assertEqual([int(row[4]) for row in broker.stored()],
                         list(range(400)) * 5)

    def test_an_id_makes_one_event_one_of_its_kind(self):
        broker = self.broker()
        body = [{"channel": "a", "data": n, "id": "i%d" % (n % 3)}
                for n in range(6)] + [{"channel": "a", "data": 6}]
        results = self.stored(broker, body)["results"]
        self.assertEqual([each["duplicate"] for each in results],
                         [False] * 3 + [True] * 3 + [False])
        self.assertEqual([each["cursor"] for each in results[:3]],
                         [each["cursor"] for each in results[3:6]])
        raw = self.stored(broker, b"7", target="/publish?channel=a&id=i1")
        self.assertEqual(raw, dict(results[1], duplicate=True))
        self.assertEqual([row[4] for row in broker.stored()],
                         [b"0", b"1", b"2", b"6"])

    def test_keys_are_forgotten_with_their_events(self):
        broker = self.broker(history__max_events=100)

        def known():
            base = sqlite3.connect("file:%s?mode=ro" % broker.database,
                                   uri=True)
            try:
                return base.execute("SELECT count(*) FROM publisher"
                                    ).fetchone()[0]
            finally:
                base.close()
        for turn in range(5):
            body = [{"channel": "a", "data": n, "id": "%d-%d" % (turn, n)}
                    for n in range(1000)]
            self.stored(broker, body)
            self.assertLess(known(), 3000)
        last = {"channel": "a", "data": 999, "id": "4-999"}
        wait_for(lambda: known() < 250, "keys to be forgotten")
        self.assertTrue(self.stored(broker, last)["duplicate"])

    def test_what_a_key_had_refused_stays_refused(self):
        broker = self.broker()
        post(broker, [{"channel": "a b", "data": 1}, {"channel": "a",
                                                      "data": 2}],
             headers=with_key("k"))
        self.assertEqual(
            self.code(broker, {"channel": "a", "data": 1},
                      headers=with_key("k")), (422, "seq"))
        self.assertEqual([row[4] for row in broker.stored()], [b"2"])

    def test_receipts_count_the_streams_of_all_workers(self):
        broker = self.broker(broker__workers=3)
        streams = [broker.stream("a") for _ in range(9)]
        for stream in streams:
            stream.start()
        answer = self.stored(broker, {"channel": "a", "data": 1,
                                      "receipt": True})
        self.assertEqual(answer["clientsNotified"], 9)
        self.assertEqual(
            [answer[name] for name in ("clientsMatched", "clientsLagging",
                                       "clientsFiltered", "workersLate")],
            [9, 0, 0, 0])
        answer = self.stored(broker, [{"channel": "a", "data": 1},
                                      {"channel": "b", "data": 1}],
                             target="/publish?receipt=true")
        self.assertEqual([each["clientsNotified"]
                          for each in answer["results"]], [9, 0])
        for stream in streams:
            stream.close()

    def test_without_a_hub_requests_wait_and_then_are_told_to_come_later(self):
        broker = self.broker(http__publish_timeout="1s",
                             http__publish_events=2, broker__workers=1)
        hub = broker.hub()
        one = {"channel": "a", "data": 1}
        os.kill(hub, signal.SIGSTOP)
        try:
            status, answer, headers = post(broker, one)
            self.assertEqual((status, answer["code"]), (503, "later"))
            self.assertGreater(int(headers["retry-after"]), 0)
            self.assertEqual(self.code(broker, [one] * 3),
                             (503, "publish-full"))
            self.assertIn(b"\nssemux_publish_full_total 1\n",
                          broker.get("/metrics")[1])
        finally:
            os.kill(hub, signal.SIGCONT)
        self.stored(broker, one)

    def test_a_hub_that_was_stuck_over_many_workers_serves_the_last(self):
        broker = self.broker(broker__workers=2)
        hub = broker.hub()
        os.kill(hub, signal.SIGSTOP)
        for turn in range(6):
            broker.kill_worker(broker.workers()[turn % 2])
        broker.workers()
        os.kill(hub, signal.SIGCONT)
        for number in range(20):
            self.stored(broker, {"channel": "a", "data": number})
        self.assertEqual([int(row[4]) for row in broker.stored()],
                         list(range(20)))

    def test_what_workers_say_is_nothing_for_the_publisher_socket(self):
        broker = self.broker()
        for message in ([32, "+k"], [32, None], [33, 1, None, "{}"],
                        [34, 1, 0, None]):
            with broker.publisher() as publisher:
                publisher.send(message)
                self.assertEqual(publisher.receive()[:3],
                                 [wire.ERROR, None, "malformed"])
        with self.assertRaises(wire.Refused) as refused:
            broker.publisher("+w0")
        self.assertEqual(refused.exception.code, "publisher")

    def test_links_are_no_publishers(self):
        broker = self.broker(publish__max_publishers=1, broker__workers=3)
        self.stored(broker, {"channel": "a", "data": 1})
        self.assertEqual(broker.stats()["publishers"], 0)
        with broker.publisher() as publisher:
            publisher.publish("a", "x")
            wait_for(lambda: broker.stats()["publishers"] == 1)

    def test_a_worker_that_was_stuck_over_many_hubs_publishes_again(self):
        broker = self.broker(broker__workers=1)
        worker = broker.workers()[0]
        os.kill(worker, signal.SIGSTOP)
        for _ in range(5):
            broker.kill_hub()
            broker.hub()
        os.kill(worker, signal.SIGCONT)
        self.stored(broker, {"channel": "a", "data": 1})


class Client(threading.Thread):
    """Publishes 1, 2, ... on its channel, each again under the same key until
    it is answered 200."""

    def __init__(self, broker, channel):
        super().__init__(daemon=True)
        self.broker, self.channel = broker, channel
        self.cursors = []
        self.repeats = 0
        self.bad = []
        self.stopping = False
        self.start()

    def run(self):
        number = 0
        while not self.stopping:
            number += 1
            body = [{"channel": self.channel, "data": number},
                    {"channel": self.channel, "data": -number}]
            self.send(body, with_key("%s-%d" % (self.channel, number)))

    def send(self, body, headers):
        while True:
            try:
                status, answer, _ = post(self.broker, body, headers=headers)
            except (OSError, http.client.HTTPException, ValueError):
                self.repeats += 1
                continue
            if status == 200:
                self.cursors += [each["cursor"] for each in answer["results"]]
                return
            if status != 503:
                self.bad.append((status, answer))
                return


class Kills(BrokerCase):
    def descriptors(self, pid):
        return len(os.listdir("/proc/%d/fd" % pid))

    def test_repeats_through_kills_store_each_event_once_and_in_order(self):
        broker = self.broker(broker__workers=3)
        clients = [Client(broker, "c%d" % n) for n in range(6)]
        seed = random.randrange(1 << 30)
        chance = random.Random(seed)
        with broker.stream("*") as stream:
            stream.timeout = 60
            for _ in range(12 * SCALE):
                goal = len(clients[0].cursors) + chance.randrange(1, 20)
                wait_for(lambda: len(clients[0].cursors) >= goal, "answers",
                         60)
                chance.choice((broker.kill_hub, lambda: broker.kill_worker(
                    chance.choice(broker.workers()))))()
        for client in clients:
            client.stopping = True
        for client in clients:
            client.join(60)
            self.assertEqual(client.bad, [], "seed %d" % seed)
            self.assert_stored(broker, client, "seed %d" % seed)
        self.assertGreater(sum(each.repeats for each in clients), 0)

    def assert_stored(self, broker, client, what=None):
        """All that it was told is stored, once and in order, and no more."""
        mine = [row for row in broker.stored() if row[1] == client.channel]
        count = len(client.cursors) // 2
        self.assertEqual(
            [int(row[4]) for row in mine],
            [sign * n for n in range(1, count + 1) for sign in (1, -1)], what)
        self.assertEqual(
            client.cursors,
            ["%d-%d" % (row[0] >> 20, row[0] & 0xfffff) for row in mine],
            what)

    def test_a_store_that_fails_for_a_while_costs_nothing(self):
        broker = self.broker(broker__workers=2)
        clients = [Client(broker, "c%d" % n) for n in range(3)]
        hub = broker.hub()
        for _ in range(3):
            goal = len(clients[0].cursors) + 10
            wait_for(lambda: len(clients[0].cursors) >= goal, "answers")
            failures = broker.stats()["store_failures_total"]
            # Files may not grow any more: what is written beyond fails.
            before = resource.prlimit(hub, resource.RLIMIT_FSIZE, (0, -1))
            wait_for(lambda: broker.stats()["store_failures_total"] >
                     failures, "a failure")
            resource.prlimit(hub, resource.RLIMIT_FSIZE, before)
        for client in clients:
            client.stopping = True
        for client in clients:
            client.join(60)
            self.assertEqual(client.bad, [])
            self.assert_stored(broker, client)
        self.assertEqual(broker.hub(), hub)

    def test_links_take_no_descriptors_for_good(self):
        broker = self.broker(broker__workers=2)
        one = {"channel": "a", "data": 1}

        def counts():
            return [self.descriptors(pid) for pid in
                    [broker.pid, broker.hub()] + broker.workers()]

        def kill_all():
            broker.kill_hub()
            for worker in broker.workers():
                broker.kill_worker(worker)
            wait_for(lambda: self.answered(broker, one), "an answer")
        # The first ones have broker.ready_fd, too.
        kill_all()
        before = counts()
        rounds = 8
        for _ in range(rounds):
            kill_all()
        # A connection or a link may have been on its way each time.
        wait_for(lambda: all(now < then + rounds // 2 for now, then in
                             zip(counts(), before)),
                 "no more descriptors than before")

    def answered(self, broker, body):
        try:
            return post(broker, body)[0] == 200
        except (OSError, http.client.HTTPException):
            return False


if __name__ == "__main__":
    unittest.main()
