/* http_samples: heads of requests, good and hostile, for http_test.c. */
#ifndef TESTS_UNIT_HTTP_SAMPLES_H
#define TESTS_UNIT_HTTP_SAMPLES_H

#include <stddef.h>

struct sample {
	int status; /* 0: good */
	size_t len;
	const char *bytes;
};

#define SAMPLE(status, text) \
	{ \
		status, sizeof(text) - 1, text \
	}
#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define LONG_32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct sample samples[] = {
    /* good */
    SAMPLE(0, GET HOST "\r\n"),
    SAMPLE(0, "GET / HTTP/1.0\r\n\r\n"),
    SAMPLE(0, "\r\n" GET HOST "\r\n"),
    SAMPLE(0, "\r\n\r\n" GET HOST "\r\n"),
    SAMPLE(0, LONG_32 " / HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(0, "GET /?a=/../%00//~\\{|}\"<>^`?? HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(0, GET "host:a\r\n\r\n"),
    SAMPLE(0, GET "HOST: \t a.example:8080 \t\r\n\r\n"),
    SAMPLE(0, GET "Host: [::1]:8080\r\n\r\n"),
    SAMPLE(0, GET "Host:\r\n\r\n"),
    SAMPLE(0, GET "Host: a:\r\n\r\n"),
    SAMPLE(0, "GET http://a/ HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(0, "GET HTTPS://b:1?x HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(0, "GET http://[::1] HTTP/1.0\r\n\r\n"),
    SAMPLE(0, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(0, GET HOST "X-Empty:\r\nX-Space: \t \r\n\r\n"),
    SAMPLE(0, GET HOST "X: \x80\xFF\tb c\r\n\r\n"),
    SAMPLE(0, GET HOST "!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n"),
    SAMPLE(0, GET HOST "Content-Length: 0\r\n\r\n"),
    SAMPLE(0, GET HOST "Content-Length: 999999999999999999\r\n\r\n"),
    SAMPLE(0, GET HOST "Transfer-Encoding: Chunked\r\n\r\n"),
    SAMPLE(0, GET HOST "X: Content-Length: 5\r\n\r\n"),
    /* the request line */
    SAMPLE(400, "\r\n\r\n\r\n" GET HOST "\r\n"),
    SAMPLE(400, "\n" GET HOST "\r\n"),
    SAMPLE(400, " GET / HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET  / HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET /  HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET / HTTP/1.1 \r\n" HOST "\r\n"),
    SAMPLE(400, "GET\t/\tHTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET /\t HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET /\x0B HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET /a b HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET / HTTP/1.1\n" HOST "\r\n"),
    SAMPLE(400, "GET / HTTP/1.1\r\r\n" HOST "\r\n"),
    SAMPLE(400, "GET / HTTP/1.1\rHost: a\r\n\r\n"),
    SAMPLE(400, "GET /\0 HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET /\xC3\xBC HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET /\x7F HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET /#fragment HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET /\r\n\r\n"),
    SAMPLE(400, "GET / \r\n\r\n"),
    SAMPLE(400, "GET\r\n\r\n"),
    SAMPLE(400, "GET \r\n\r\n"),
    SAMPLE(400, "/ HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "G(T / HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET: / HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET http://a/ HTTP/1.1\r\n\r\n"),
    SAMPLE(400, "GET http:/a HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET http:// HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET http:///a HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET http://:80/ HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET http://u@a/ HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET http://a#b HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET * HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "OPTIONS ** HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET stream HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET / http/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET / HTTP/1.1x\r\n" HOST "\r\n"),
    SAMPLE(400, "GET / HTTP/11\r\n" HOST "\r\n"),
    SAMPLE(400, "GET / HTTP/1.\r\n" HOST "\r\n"),
    SAMPLE(400, "GET / HTTP/x.1\r\n" HOST "\r\n"),
    SAMPLE(400, "GET / ICY/1.1\r\n" HOST "\r\n"),
    SAMPLE(400, "\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"),
    SAMPLE(400, "\0"),
    SAMPLE(505, "GET / HTTP/1.2\r\n" HOST "\r\n"),
    SAMPLE(505, "GET / HTTP/0.9\r\n" HOST "\r\n"),
    SAMPLE(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    SAMPLE(501, LONG_32 "A / HTTP/1.1\r\n" HOST "\r\n"),
    SAMPLE(501, LONG_32 "A"),
    /* header lines */
    SAMPLE(400, GET " Host: a\r\n\r\n"),
    SAMPLE(400, GET HOST "X: a\r\n b\r\n\r\n"),
    SAMPLE(400, GET HOST "X: a\r\n\tb\r\n\r\n"),
    SAMPLE(400, GET HOST "X: a\r\n \r\n\r\n"),
    SAMPLE(400, GET "Host : a\r\n\r\n"),
    SAMPLE(400, GET "Host\t: a\r\n\r\n"),
    SAMPLE(400, GET HOST ": a\r\n\r\n"),
    SAMPLE(400, GET HOST "X\r\n\r\n"),
    SAMPLE(400, GET HOST "X Y: a\r\n\r\n"),
    SAMPLE(400, GET HOST "X\0: a\r\n\r\n"),
    SAMPLE(400, GET HOST "\xC3\xBC: a\r\n\r\n"),
    SAMPLE(400, GET HOST "X: a\0b\r\n\r\n"),
    SAMPLE(400, GET HOST "X: a\rb\r\n\r\n"),
    SAMPLE(400, GET HOST "X: a\r\r\n\r\n"),
    SAMPLE(400, GET HOST "X: a\nContent-Length: 5\r\n\r\n"),
    SAMPLE(400, GET HOST "X: a\r\n\n"),
    SAMPLE(400, GET HOST "X: \x0B\r\n\r\n"),
    SAMPLE(400, GET HOST "X: \x7F\r\n\r\n"),
    SAMPLE(400, GET HOST "X: a\r\n\rX"
			 "\n\r\n"),
    /* Host */
    SAMPLE(400, GET "\r\n"),
    SAMPLE(400, GET "Xhost: a\r\n\r\n"),
    SAMPLE(400, GET HOST HOST "\r\n"),
    SAMPLE(400, GET HOST "hOsT: b\r\n\r\n"),
    SAMPLE(400, "GET / HTTP/1.0\r\n" HOST HOST "\r\n"),
    SAMPLE(400, GET "Host: a b\r\n\r\n"),
    SAMPLE(400, GET "Host: a,b\r\n\r\n"),
    SAMPLE(400, GET "Host: a/b\r\n\r\n"),
    SAMPLE(400, GET "Host: u@a\r\n\r\n"),
    SAMPLE(400, GET "Host: a:b\r\n\r\n"),
    SAMPLE(400, GET "Host: a:1:2\r\n\r\n"),
    SAMPLE(400, GET "Host: ::1\r\n\r\n"),
    SAMPLE(400, GET "Host: [::1\r\n\r\n"),
    SAMPLE(400, GET "Host: []\r\n\r\n"),
    SAMPLE(400, GET "Host: [evil.example]\r\n\r\n"),
    SAMPLE(400, GET "Host: [::1]x\r\n\r\n"),
    SAMPLE(400, GET "Host: a[::1]\r\n\r\n"),
    /* where the body ends */
    SAMPLE(400, GET HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"),
    SAMPLE(400, GET HOST "Content-Length: 5\r\ncontent-length: 6\r\n\r\n"),
    SAMPLE(400, GET HOST "Content-Length: 5, 5\r\n\r\n"),
    SAMPLE(400, GET HOST "Content-Length:\r\n\r\n"),
    SAMPLE(400, GET HOST "Content-Length: +5\r\n\r\n"),
    SAMPLE(400, GET HOST "Content-Length: -5\r\n\r\n"),
    SAMPLE(400, GET HOST "Content-Length: 0x5\r\n\r\n"),
    SAMPLE(400, GET HOST "Content-Length: 5 \x0C\r\n\r\n"),
    SAMPLE(400, GET HOST "Content-Length: 5 5\r\n\r\n"),
    SAMPLE(400, GET HOST "Content-Length: 1000000000000000000\r\n\r\n"),
    SAMPLE(400, GET HOST "Content-Length: 18446744073709551621\r\n\r\n"),
    SAMPLE(400, GET HOST "Content-Length: 5\r\n"
			 "Transfer-Encoding: chunked\r\n\r\n"),
    SAMPLE(400, GET HOST "Transfer-Encoding: chunked\r\n"
			 "Content-Length: 0\r\n\r\n"),
    SAMPLE(400, GET HOST "Transfer-Encoding: chunked\r\n"
			 "Transfer-Encoding: chunked\r\n\r\n"),
    SAMPLE(400, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    SAMPLE(501, GET HOST "Transfer-Encoding: chunked, chunked\r\n\r\n"),
    SAMPLE(501, GET HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"),
    SAMPLE(501, GET HOST "Transfer-Encoding: chunked, identity\r\n\r\n"),
    SAMPLE(501, GET HOST "Transfer-Encoding: identity\r\n\r\n"),
    SAMPLE(501, GET HOST "Transfer-Encoding: xchunked\r\n\r\n"),
    SAMPLE(501, GET HOST "Transfer-Encoding: \"chunked\"\r\n\r\n"),
    SAMPLE(501, GET HOST "Transfer-Encoding: chunked;q=1\r\n\r\n"),
    SAMPLE(501, GET HOST "Transfer-Encoding:\r\n\r\n"),
    SAMPLE(400, GET HOST "Transfer-Encoding: \x0B"
			 "chunked\r\n\r\n"),
    SAMPLE(400, GET HOST "Transfer-Encoding : chunked\r\n\r\n"),
};

enum { SAMPLE_COUNT = sizeof(samples) / sizeof(samples[0]) };

#endif
