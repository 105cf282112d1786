"""The streams of five applications, each by its file in packaging/systems/
alone: what is on the wire, header by header and line by line."""
import json
import os
import re
import unittest

import sse_client
import tokens
from broker import TOP, BrokerCase, wait_for

PAGE = "https://app.example"
HEADERS = {
    "content-type": "text/event-stream",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "vary": "Accept, Origin",
    "x-content-type-options": "nosniff",
    "connection": "close",
    "transfer-encoding": "chunked",
}
CURSOR = r"[0-9]{13}-[0-9]+"


class System(BrokerCase):
    """One system: `name` is its file, `path` its stream."""

    name = path = None

    def system(self, **settings):
        """A broker with the system's file, and a key to make tokens with."""
        self.key = tokens.Secret()
        file = os.path.join(TOP, "packaging", "systems", self.name + ".conf")
        broker = self.broker(start=False, config=file,
                             http__cors_origins=PAGE, **settings)
        with open(file) as text:
            if "jwt_key_file" in text.read():
                path = os.path.join(broker.folder, "key")
                self.key.write(path)
                broker.settings["auth.jwt_key_file"] = path
        return broker.start()

    def quick(self, **settings):
        """The same, with a sign of life every second."""
        return self.system(**{"stream %s.heartbeat_interval" % self.path: "1s"},
                           **settings)

    def bearer(self, user="u1", **claims):
        return tokens.bearer(self.key.token(sub=user, **claims))

    def open(self, broker, query="", headers=(), path=None, **options):
        return broker.open((path or self.path) + query, headers=headers,
                           **options)

    def block(self, stream):
        """The lines of the next block, but for the delay of a reconnect."""
        lines = stream.next().raw.decode().split("\n")
        self.assertEqual(lines[-2:], ["", ""])
        return [line for line in lines[:-2] if not line.startswith("retry: ")]

    def assert_block(self, stream, *lines):
        """Each line is as the pattern says."""
        block = self.block(stream)
        self.assertEqual(len(block), len(lines), block)
        for line, pattern in zip(block, lines):
            self.assertRegex(line, "^%s$" % pattern)

    def assert_headers(self, stream, **more):
        stream.opened()
        self.assertEqual(stream.body.status, 200)
        self.assertEqual(stream.body.headers, dict(HEADERS, **more))

    def assert_refused(self, broker, target, status, code, headers=()):
        body, out = broker.get(target, (("Accept", "text/event-stream"),) +
                               tuple(headers))
        self.assertEqual(body.status, status, out)
        self.assertEqual(body.headers["content-type"],
                         "application/problem+json")
        self.assertEqual(json.loads(out)["code"], code)
        return body

    def assert_demands_a_token(self, broker, target):
        body = self.assert_refused(broker, target, 401, "token-missing")
        self.assertTrue(body.headers["www-authenticate"].startswith("Bearer"))
        for token, code in (
                (self.key.token(expires_in=-60), "token-expired"),
                (tokens.Secret().token(), "token-invalid"),
                ("x", "token-invalid")):
            body = self.assert_refused(broker, target, 401, code,
                                       tokens.bearer(token))
            self.assertIn("invalid_token", body.headers["www-authenticate"])


def lines(*rows):
    """Rows as patterns that stand for themselves."""
    return [re.escape(row) for row in rows]


class EntityReplication(System):
    name, path = "entity-replication", "/replication"

    def test_each_event_is_tagged_with_its_entity(self):
        broker = self.system()
        with self.open(broker, headers=self.bearer()) as stream:
            self.assert_headers(stream)
            connected, _ = stream.start()
            self.assertEqual(connected["channels"], ["user:u1:*"])
            broker.pub("user:u1:entityA",
                       '{"documents":[{"id":1}],"checkpoint":{"n":7}}')
            broker.pub("user:u1:entityB", '{"documents":[],"checkpoint":null}')
            broker.pub("user:u1:entityB", "RESYNC")
            self.assert_block(
                stream, "id: " + CURSOR, re.escape(
                    'data: {"type":"entityA","event":'
                    '{"documents":[{"id":1}],"checkpoint":{"n":7}}}'))
            self.assert_block(
                stream, "id: " + CURSOR, re.escape(
                    'data: {"type":"entityB","event":'
                    '{"documents":[],"checkpoint":null}}'))
            self.assert_block(stream, "id: " + CURSOR, re.escape(
                'data: {"type":"entityB","event":"RESYNC"}'))

    def test_a_user_sees_its_own_events_alone(self):
        broker = self.system()
        users = ["u1", "u2", "u1:entityA", "*", "u", "u1:*"]
        streams = {user: self.open(broker, "?channels=*&format=tagged",
                                   self.bearer(user)) for user in users}
        for stream in streams.values():
            stream.start()
        for channel in ["user:u1:entityA", "user:u2:entityA", "user:*",
                        "user:u1", "entityA"]:
            if "*" not in channel:
                broker.pub(channel, channel)
        for user in ("u1", "u2"):
            event = streams[user].next()
            self.assertEqual(json.loads(event.data), {
                "type": "entityA", "event": "user:%s:entityA" % user})
        broker.pub("user:u1:last", "last")
        self.assertEqual(json.loads(streams["u1"].next().data)["event"],
                         "last")
        for user, stream in streams.items():
            self.assertTrue(stream.quiet(0.2), user)
            stream.close()

    def test_a_drop_that_can_be_caught_up_costs_no_resync(self):
        broker = self.system()
        with self.open(broker, headers=self.bearer()) as stream:
            stream.start()
            broker.pub("user:u1:a", "1")
            last = stream.events(1)[0].id
        broker.pub("user:u1:a", "2")
        broker.pub("user:u2:a", "not for u1")
        broker.pub("user:u1:b", "3")
        with self.open(broker, headers=self.bearer(), last_id=last) as stream:
            _, events = stream.start()
            self.assertEqual([event.data for event in events], [
                '{"type":"a","event":"2"}', '{"type":"b","event":"3"}'])

    def test_without_a_token_there_is_no_stream(self):
        self.assert_demands_a_token(self.system(), self.path)


class OrganisationActivity(System):
    name, path = "organisation-activity", "/activity/org"
    public = "/activity/public"

    def created(self, broker, channel, kind="page.created"):
        broker.pub("-t", kind, channel, json.dumps(
            {"id": "e1", "organisation": channel}, separators=(",", ":")))

    def member(self, *orgs, sees=("page",)):
        return self.bearer(org=list(orgs), sees=list(sees))

    def start(self, stream):
        """Passes what comes before the marker, and the marker; the greeting."""
        connected = stream.control("connected")
        while stream.next().name != "offset":
            pass
        return connected

    def test_catch_up_then_a_marker_then_live(self):
        broker = self.system()
        self.created(broker, "org:o1")
        self.created(broker, "org:o2")
        with self.open(broker, "?offset=-1&live=true",
                       self.member("o1")) as stream:
            self.assert_headers(stream)
            connected = stream.control("connected")
            self.assertEqual(connected["channels"], ["org:o1", "broadcast"])
            self.assert_block(stream, "id: " + CURSOR, *lines(
                "event: page.created",
                'data: {"id":"e1","organisation":"org:o1"}'))
            self.assert_block(stream, "event: offset",
                              'data: {"cursor":"%s"}' % CURSOR)
            self.created(broker, "org:o1", "page.deleted")
            self.assert_block(stream, "id: " + CURSOR, *lines(
                "event: page.deleted",
                'data: {"id":"e1","organisation":"org:o1"}'))

    def test_it_ends_at_the_marker_when_asked(self):
        broker = self.system()
        for _ in range(3):
            self.created(broker, "org:o1")
        with self.open(broker, "?offset=-1&live=false",
                       self.member("o1")) as stream:
            names = [event.name for event in stream.rest()]
            self.assertEqual(names, ["connected"] + 3 * ["page.created"] +
                             ["offset", "bye"])
            self.assertEqual(stream.ended, "clean")

    def test_offset_is_a_cursor_or_now(self):
        broker = self.system()
        for kind in ("page.created", "page.updated", "page.deleted"):
            self.created(broker, "org:o1", kind)

        def caught_up(offset):
            with self.open(broker, "?live=false&offset=" + offset,
                           self.member("o1")) as stream:
                events = [event for event in stream.rest() if event.id or
                          event.name in ("offset", "resync")]
                self.assertEqual(events[-1].name, "offset")
                return events[:-1], json.loads(events[-1].data)["cursor"]
        events, head = caught_up("-1")
        self.assertEqual([event.name for event in events],
                         ["page.created", "page.updated", "page.deleted"])
        self.assertEqual([event.name for event in caught_up(events[0].id)[0]],
                         ["page.updated", "page.deleted"])
        self.assertEqual(caught_up("now"), ([], head))
        self.assertEqual(caught_up(head), ([], head))

    def test_members_alone_and_only_types_that_they_may_see(self):
        broker = self.system()
        with self.open(broker, headers=self.member("o1", "o2")) as both, \
                self.open(broker, headers=self.member("o3")) as other, \
                self.open(broker, headers=self.bearer(
                    org=["o1"])) as blind, \
                self.open(broker, headers=self.member(
                    "o1", sees=["page", "file"])) as more:
            for stream in (both, other, blind, more):
                self.start(stream)
            self.created(broker, "org:o1")
            self.created(broker, "org:o1", "file.created")
            self.created(broker, "org:o2", "page.updated")
            self.created(broker, "org:o3", "page.deleted")
            self.created(broker, "broadcast", "page.pinned")
            self.assertEqual([each.name for each in both.events(3)],
                             ["page.created", "page.updated", "page.pinned"])
            self.assertEqual([each.name for each in other.events(2)],
                             ["page.deleted", "page.pinned"])
            self.assertEqual([each.name for each in more.events(3)],
                             ["page.created", "file.created", "page.pinned"])
            self.assertTrue(blind.quiet(0.2))

    def test_types_are_held_back_in_catch_up_too(self):
        broker = self.system()
        for kind in ("page.created", "file.created", "pages.created", "page"):
            self.created(broker, "org:o1", kind)
        broker.pub("org:o1", "without a type")
        with self.open(broker, "?offset=-1&live=false",
                       self.member("o1")) as stream:
            self.assertEqual([each.name for each in stream.rest() if each.id],
                             ["page.created"])

    def test_a_new_token_may_see_other_types(self):
        broker = self.system()
        with self.open(broker, headers=self.member(
                "o1", sees=["page", "file"])) as stream:
            connected = self.start(stream)
            body, _ = sse_client.fetch(
                broker.port, self.path + "/" + connected["stream"],
                self.member("o1", sees=["file"]), "POST")
            self.assertEqual(body.status, 200)
            self.created(broker, "org:o1", "page.created")
            self.created(broker, "org:o1", "file.created")
            self.assertEqual(stream.events(1)[0].name, "file.created")

    def test_what_is_public_is_for_anybody(self):
        broker = self.system()
        self.created(broker, "public:page")
        for headers in ((), self.bearer(), tokens.bearer("garbage")):
            with self.open(broker, "?offset=-1&channels=org:o1", headers,
                           self.public) as stream:
                connected = stream.control("connected")
                self.assertEqual(connected["channels"], ["public:page"])
                self.assertEqual(stream.next().name, "page.created")
                self.assert_block(stream, "event: offset",
                                  'data: {"cursor":"%s"}' % CURSOR)
                self.created(broker, "org:o1")
                self.assertTrue(stream.quiet(0.1))
        self.assert_demands_a_token(broker, self.path)


class PhotoJobs(System):
    name, path = "photo-jobs", "/api/sse/stream"

    def test_the_greeting_names_the_channels(self):
        broker = self.system()
        for query, named in (
                ("", ["jobs", "pending-changes"]),
                ("?channels=jobs", ["jobs"]),
                ("?channels=jobs,pending-changes",
                 ["jobs", "pending-changes"]),
                ("?channels=pending-changes,secret", ["pending-changes"])):
            with self.open(broker, query) as stream:
                self.assert_headers(stream)
                self.assert_block(stream, *lines(
                    "event: connected", 'data: {"channels":%s}' % json.dumps(
                        named, separators=(",", ":"))))
        self.assert_refused(broker, self.path + "?channels=secret,*", 403,
                            "channels-refused")

    def test_events_have_names(self):
        broker = self.system()
        with self.open(broker) as both, \
                self.open(broker, "?channels=jobs") as jobs:
            both.control("connected")
            jobs.control("connected")
            change = '{"project_folder":"/p","timestamp":1737017200}'
            job = '{"id":"42","task_type":"import","status":"running"}'
            broker.pub("-t", "manifest_changed", "pending-changes", change)
            broker.pub("-t", "job_started", "jobs", job)
            broker.pub("-t", "job_completed", "jobs", job)
            self.assert_block(both, "id: " + CURSOR, *lines(
                "event: manifest_changed", "data: " + change))
            for stream in (both, jobs):
                for name in ("job_started", "job_completed"):
                    self.assert_block(stream, "id: " + CURSOR, *lines(
                        "event: " + name, "data: " + job))

    def test_stats_show_connections(self):
        broker = self.system()
        streams = [self.open(broker), self.open(broker, "?channels=jobs"),
                   self.open(broker, headers=self.bearer("u1"))]
        for stream in streams:
            stream.control("connected")
        said = sse_client.fetch_json(broker.port, "/api/sse/stats",
                                     self.bearer("u1"))
        self.assertEqual(said["userId"], "u1")
        self.assertEqual(said["userConnections"], 1)
        self.assertEqual(said["totalConnections"], 3)
        said = sse_client.fetch_json(broker.port, "/api/sse/stats")
        self.assertEqual(said["totalConnections"], 3)
        for stream in streams:
            stream.close()
        wait_for(lambda: sse_client.fetch_json(
            broker.port, "/api/sse/stats",
            self.bearer("u1"))["totalConnections"] == 0, "no connections")

    def test_the_sign_of_life_is_a_comment(self):
        broker = self.quick()
        with self.open(broker) as stream:
            stream.control("connected")
            stream.wait(lambda: len(stream.parser.comments) >= 2)
            self.assertEqual(set(stream.parser.comments), {b"hb"})
            self.assertEqual(list(stream.waiting), [])

    def test_it_comes_every_thirty_seconds(self):
        with open(os.path.join(TOP, "packaging", "systems",
                               self.name + ".conf")) as file:
            self.assertIn("\nheartbeat_interval = 30s\n", file.read())


class Orders(System):
    name, path = "orders", "/api/v1/stream/events"

    def test_events_are_the_objects_that_clients_know(self):
        broker = self.system()
        with self.open(broker) as stream:
            self.assert_headers(stream)
            self.assertEqual(stream.control("connected")["channels"],
                             ["orders"])
            broker.pub("-t", "order.updated", "-k", "ord_00042", "orders",
                       '{"status":"shipped"}')
            broker.pub("-t", "invoice.created", "orders", "{}")
            broker.pub("-t", "order.created", "-k", "ord_00043", "orders",
                       "{}")
            self.assert_block(
                stream, "id: " + CURSOR,
                re.escape('data: {"type":"order.updated","id":"ord_00042",'
                          '"patch":{"status":"shipped"},"ts":') + "[0-9]{13}}")
            self.assertEqual(json.loads(stream.next().data)["type"],
                             "order.created")

    def test_what_was_missed_comes_by_last_event_id(self):
        broker = self.system()
        with self.open(broker) as stream:
            stream.control("connected")
            broker.pub("-t", "order.created", "-k", "1", "orders", "{}")
            last = stream.next().id
        for number in ("2", "3"):
            broker.pub("-t", "order.updated", "-k", number, "orders", "{}")
        with self.open(broker, last_id=last) as stream:
            stream.control("connected")
            self.assertEqual([json.loads(stream.next().data)["id"]
                              for _ in range(2)], ["2", "3"])

    def test_a_client_may_take_some_types_only(self):
        broker = self.system()
        with self.open(broker, "?types=order.created") as created, \
                self.open(broker, "?types=%21order.created") as others, \
                self.open(broker, "?types=invoice.*,*") as both:
            for stream in (created, others, both):
                stream.control("connected")
            for kind in ("order.updated", "order.created", "order.deleted",
                         "invoice.created"):
                broker.pub("-t", kind, "orders", "{}")
            broker.pub("--resync", "orders")
            for stream, expected in (
                    (created, ["created"]), (others, ["updated", "deleted"]),
                    (both, ["updated", "created", "deleted"])):
                self.assertEqual(
                    [json.loads(stream.next().data)["type"]
                     for _ in expected], ["order." + each for each in expected])
                # What asks to load anew passes every filter.
                self.assertEqual(stream.control("resync")["channels"],
                                 ["orders"])

    def test_a_ping_comes_every_interval(self):
        broker = self.quick()
        with self.open(broker) as stream:
            stream.control("connected")
            stamps = []
            for _ in range(3):
                event = stream.next()
                self.assertRegex(
                    event.raw, br'^event: ping\ndata: \{"ts":[0-9]{13}\}\n\n$')
                stamps.append(json.loads(event.data)["ts"])
            self.assertGreater(stamps[1], stamps[0])
            self.assertGreater(stamps[2], stamps[1])
            self.assertEqual(stream.parser.comments, [])

    def test_pings_never_part_an_event(self):
        """A client that reads slowly gets each event whole; pings stand
        between events, and only where it has read what came before."""
        broker = self.quick(publish__max_event="1m", http__send_buffer="4k")
        data = '{"text":"%s"}' % ("x" * 900000)
        with self.open(broker, receive_buffer=4096, timeout=60) as stream:
            stream.control("connected")
            with broker.publisher() as publisher:
                for number in range(3):
                    publisher.publish("orders", data, kind="order.created",
                                      key=str(number))
            # The socket is full for more than one interval.
            with self.open(broker) as other:
                other.control("connected")
                for _ in range(3):
                    while other.next().name != "ping":
                        pass
            seen = []
            while len(seen) < 3 or seen[-1] != "ping":
                event = stream.next()
                if event.name == "ping":
                    self.assertRegex(event.data, r'^\{"ts":[0-9]{13}\}$')
                    seen.append("ping")
                else:
                    said = json.loads(event.data)
                    self.assertEqual(len(said["patch"]["text"]), 900000)
                    seen.append(said["id"])
            self.assertEqual([each for each in seen if each != "ping"],
                             ["0", "1", "2"])


class SyncPokes(System):
    name, path = "sync-pokes", "/api/v1/replicache/stream"
    poke = "/api/v1/replicache/poke-user"
    stats = "/api/v1/replicache/stats"

    def test_plain_data_without_names(self):
        broker = self.quick()
        headers = self.bearer("user123") + (("Origin", PAGE),)
        with self.open(broker, headers=headers) as stream:
            stream.opened()
            cors = {name: value for name, value in stream.body.headers.items()
                    if name.startswith("access-control-")}
            self.assert_headers(stream, **cors)
            self.assertEqual(cors["access-control-allow-origin"], PAGE)
            self.assertEqual(cors["access-control-allow-credentials"], "true")
            self.assert_block(stream, "data: connected")
            self.assert_block(stream, "data: ping")
            broker.pub("-t", "sync", "user:user123", "sync")
            block = self.block(stream)
            while block == ["data: ping"]:
                block = self.block(stream)
            self.assertEqual(block[1:], ["data: sync"])
            self.assertRegex(block[0], "^id: " + CURSOR + "$")

    def test_a_notice_may_name_the_user(self):
        broker = self.system(**{"stream %s.greeting" % self.path:
                                "event hello {user}"})
        with self.open(broker, headers=self.bearer('u"1')) as stream:
            self.assert_block(stream, *lines("event: hello",
                                             'data: "u\\"1"'))

    def test_a_poke_reaches_all_connections_of_the_caller(self):
        broker = self.system()
        streams = [self.open(broker, headers=self.bearer(user))
                   for user in ("user123", "user123", "other")]
        for stream in streams:
            self.assert_block(stream, "data: connected")
        body, out = sse_client.fetch(broker.port, self.poke,
                                     self.bearer("user123"), "POST")
        self.assertEqual(body.status, 200, out)
        said = json.loads(out)
        stamp = said.pop("timestamp")
        self.assertRegex(
            stamp, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(said, {
            "success": True, "userId": "user123", "clientsNotified": 2,
            "message": "User-specific sync triggered"})
        for stream in streams[:2]:
            self.assert_block(stream, "id: " + CURSOR, "data: sync")
        self.assertTrue(streams[2].quiet(0.2))
        for stream in streams:
            stream.close()

    def test_stats_count_the_callers_connections(self):
        broker = self.system()
        streams = [self.open(broker, headers=self.bearer(user))
                   for user in ("user123", "user123", "other")]
        for stream in streams:
            self.assert_block(stream, "data: connected")

        def stats():
            return sse_client.fetch_json(broker.port, self.stats,
                                         self.bearer("user123"))
        said = stats()
        self.assertRegex(said.pop("timestamp"),
                         r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(said, {"userId": "user123", "userConnections": 2,
                                "totalConnections": 3})
        streams[0].close()
        wait_for(lambda: stats()["userConnections"] == 1, "one connection")
        for stream in streams[1:]:
            stream.close()
        wait_for(lambda: stats()["totalConnections"] == 0, "no connections")

    def test_only_with_a_good_token(self):
        broker = self.system()
        self.assert_demands_a_token(broker, self.path)
        self.assert_demands_a_token(broker, self.stats)
        for token in (None, self.key.token(expires_in=-60), "x"):
            headers = tokens.bearer(token) if token else ()
            body, _ = sse_client.fetch(broker.port, self.poke, headers, "POST")
            self.assertEqual(body.status, 401)


class Sixth(BrokerCase):
    """Another kind of stream takes configuration only."""

    def test_an_odd_stream(self):
        broker = self.broker(**{
            "stream /tv/ticker~1.access": "public",
            "stream /tv/ticker~1.channels": "tv:1",
            "stream /tv/ticker~1.allow": "tv:*",
            "stream /tv/ticker~1.query_channels": "sender",
            "stream /tv/ticker~1.query_since": "ab",
            "stream /tv/ticker~1.query_types": "art",
            "stream /tv/ticker~1.query_format": "",
            "stream /tv/ticker~1.types": "!test, !debug.*",
            "stream /tv/ticker~1.format": "envelope",
            "stream /tv/ticker~1.envelope":
                "Sender:channel.last, Überschrift:data, art:type, um:ts",
            "stream /tv/ticker~1.name_events": "on",
            "stream /tv/ticker~1.greeting":
                "event willkommen Sender {channels}, sonst nichts: {refused}",
            "stream /tv/ticker~1.live": "data -- ab hier live --",
            "stream /tv/ticker~1.heartbeat":
                "event takt [{ts},{heartbeat},{cursor}]",
            "stream /tv/ticker~1.heartbeat_interval": "1s",
            "stream /tv/ticker~1.start": "oldest"})
        broker.pub("-t", "eil", "tv:1", "alt")
        with broker.open("/tv/ticker~1?sender=tv:2,radio:1") as stream:
            event = stream.next()
            self.assertEqual(event.name, "willkommen")
            self.assertEqual(event.data, 'Sender ["tv:1","tv:2"], '
                                         'sonst nichts: ["radio:1"]')
            event = stream.next()
            self.assertEqual(event.name, "eil")
            self.assertRegex(event.data, '^{"Sender":"1","Überschrift":"alt",'
                                         r'"art":"eil","um":\d{13}}$')
            self.assertEqual(stream.next().raw, b"data: -- ab hier live --\n\n")
            broker.pub("-t", "debug.x", "tv:2", "no")
            broker.pub("-t", "wetter", "tv:2", "sonnig")
            event = wait_for(lambda: next(
                (each for each in [stream.next()] if each.name != "takt"),
                None), "the weather")
            self.assertRegex(event.data, '^{"Sender":"2",.*"sonnig"')
            self.assertRegex(stream.next().data, r'^\[\d{13},1,"%s"\]$' %
                             CURSOR)
        with broker.open("/tv/ticker~1?art=wetter&ab=-1h") as stream:
            self.assertEqual(stream.next().name, "willkommen")
            self.assertEqual(stream.next().data, "-- ab hier live --")


if __name__ == "__main__":
    unittest.main()
