"""Proxies: the address of a client behind them, and who may say it. With one
connection for an address, a refusal shows whose it was taken for."""
import socket
import struct
import unittest

from limits_test import STREAM, LimitCase

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def forwarded(*values):
    return tuple(("X-Forwarded-For", value) for value in values) + STREAM


def header_2(source, command=0x21, family=0x11, more=b""):
    """A PROXY header of version 2."""
    kind = socket.AF_INET6 if ":" in source else socket.AF_INET
    if ":" in source:
        family = 0x21
    addresses = socket.inet_pton(kind, source) * 2 + struct.pack("!HH", 1, 2)
    return SIGNATURE + struct.pack(
        "!BBH", command, family, len(addresses + more)) + addresses + more


def header_1(source):
    kind = "TCP6" if ":" in source else "TCP4"
    return ("PROXY %s %s %s 56324 443\r\n" % (kind, source, source)).encode()


class Proxies(LimitCase):
    def forwarding(self, **settings):
        return self.broker(http__max_per_ip=1,
                           http__trusted_proxies="127.0.0.1, 10.0.0.0/8",
                           **settings)

    def test_the_last_address_that_is_not_trusted_counts(self):
        broker = self.forwarding()
        for said in (["192.0.2.1"], ["192.0.2.2, 10.1.2.3"],
                     ["6.6.6.6", "192.0.2.3"], ["junk, 192.0.2.4,10.0.0.1"],
                     ["192.0.2.5:4711"], ["::ffff:192.0.2.6"],
                     ["[2001:db8:1::1]:80"], ["10.9.9.9"]):
            self.hold(broker, 1, headers=forwarded(*said))
        for said in ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4",
                     "192.0.2.5", "192.0.2.6", "2001:db8:1::ffff:2",
                     "10.9.9.9"):
            self.refused(broker, "limit-address", headers=forwarded(said))
        self.hold(broker, 1, headers=forwarded("2001:db8:1:1::1"))

    def test_what_is_no_address_counts_as_the_proxy(self):
        broker = self.forwarding()
        self.hold(broker, 1, headers=forwarded("unknown"))
        for said in ("", "192.0.2.1, unknown", "1.2.3", "192.0.2.1,",
                     "192.0.2.1 192.0.2.2"):
            self.refused(broker, "limit-address", headers=forwarded(said))
        self.hold(broker, 1, headers=forwarded("192.0.2.1"))

    def test_nobody_else_is_believed(self):
        broker = self.forwarding()
        self.hold(broker, 1, "127.0.0.2", headers=forwarded("192.0.2.1"))
        self.refused(broker, "limit-address", "127.0.0.2",
                     headers=forwarded("192.0.2.2"))
        self.hold(broker, 1, headers=forwarded("192.0.2.1"))

    def test_one_connection_brings_requests_of_many(self):
        """A proxy's idle connection belongs to nobody."""
        broker = self.forwarding()
        one = self.client(broker, target="/stats",
                          headers=forwarded("192.0.2.1")[:1])
        one.read_until(lambda: one.body.ended)
        self.assertEqual(one.body.status, 200)
        self.room(broker, headers=forwarded("192.0.2.1"))

    def test_a_connection_says_whose_it_is(self):
        broker = self.forwarding(http__proxy_protocol="on")
        for make in (header_1, header_2):
            for number, prefix in enumerate(("192.0.%d.1", "2001:db8:%d::1")):
                source = prefix % (2 + number + 2 * (make is header_2))
                self.hold(broker, 1, before=make(source))
                self.refused(broker, "limit-address", before=header_1(source))
                self.refused(broker, "limit-address",
                             before=header_2(source, more=b"\x04\0\x03abc"))
        # One that names a proxy, which then names the client.
        self.hold(broker, 1, before=header_1("10.1.1.1"),
                  headers=forwarded("192.0.2.77"))
        self.refused(broker, "limit-address", before=header_1("192.0.2.77"))

    def test_a_proxy_may_speak_for_itself(self):
        broker = self.forwarding(http__proxy_protocol="on")
        self.hold(broker, 1, before=header_2("192.0.2.1", command=0x20))
        self.refused(broker, "limit-address", before=b"PROXY UNKNOWN\r\n")

    def test_a_trusted_proxy_must_say_it(self):
        broker = self.forwarding(http__proxy_protocol="on")
        for before in (b"", b"PROXY\r\n", b"PROXY TCP4 192.0.2.1\r\n",
                       header_1("192.0.2.1").replace(b"TCP4", b"TCP6"),
                       header_1("192.0.2.1").replace(b"\r", b""),
                       header_1("192.0.2.1") + header_1("192.0.2.1"),
                       b"PROXY " + b"a" * 200 + b"\r\n",
                       header_2("192.0.2.1", command=0x11),
                       header_2("192.0.2.1", family=0x12),
                       header_2("192.0.2.1", more=b"\0" * 4000)):
            one = self.client(broker, before=before)
            self.assertEqual(one.first()[0], "bad-request", before)
            self.assertEqual(one.body.status, 400)

    def test_who_is_not_trusted_needs_not_and_cannot(self):
        broker = self.forwarding(http__proxy_protocol="on")
        self.hold(broker, 1, "127.0.0.2")
        for make in (header_1, header_2):
            one = self.client(broker, "127.0.0.3", before=make("192.0.2.1"))
            self.assertEqual(one.first()[0], "bad-request")

    def test_settings_that_cannot_be(self):
        for settings, said in (
                ({"http__trusted_proxies": "10.0.0.1/8"}, "trusted_proxies"),
                ({"http__trusted_proxies": "proxy.example"},
                 "trusted_proxies"),
                ({"http__proxy_protocol": "on"}, "trusted_proxies"),
                ({"http__cors_origins": "https://a.example/"}, "cors_origins"),
                ({"http__cors_origins": "https://A.example"}, "cors_origins"),
                ({"http__cors_origins": "https://a.example:443"},
                 "cors_origins"),
                ({"http__cors_origins": "*, https://a.example"},
                 "cors_origins"),
                ({"http__cors_origins": "a.example"}, "cors_origins")):
            broker = self.broker(start=False, **settings)
            with self.assertRaises(AssertionError, msg=settings):
                broker.start()
            self.assertIn(said, broker.log())


if __name__ == "__main__":
    unittest.main()
