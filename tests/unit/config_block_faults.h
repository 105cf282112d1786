/* config_block_faults: blocks with a fault, and the error each gives, for
 * config_block_test.c. */
#ifndef TESTS_UNIT_CONFIG_BLOCK_FAULTS_H
#define TESTS_UNIT_CONFIG_BLOCK_FAULTS_H

#define PATH_FORM \
	"expected a path such as /events, of letters, digits and -._~@:/, " \
	"without a slash at its end"

/* The error stands behind the path of the file. */
static const struct {
	const char *text;
	const char *error;
} faults[] = {
    /* --- names of blocks --- */
    {"[stream]\n", ":1: got section \"stream\", expected [stream PATH]"},
    {"[stream ]\n", ":1: got section \"stream\", expected [stream PATH]"},
    {"[stream x]\n", ":1: got section \"stream x\", " PATH_FORM},
    {"[stream /a/]\n", ":1: got section \"stream /a/\", " PATH_FORM},
    {"[stream /a//b]\n", ":1: got section \"stream /a//b\", " PATH_FORM},
    {"[stream /../b]\n", ":1: got section \"stream /../b\", " PATH_FORM},
    {"[stream /.]\n", ":1: got section \"stream /.\", " PATH_FORM},
    {"[stream /a b]\n", ":1: got section \"stream /a b\", " PATH_FORM},
    {"[stream /a?b]\n", ":1: got section \"stream /a?b\", " PATH_FORM},
    {"[stream /%61]\n", ":1: got section \"stream /%61\", " PATH_FORM},
    {"[stream /stats]\n",
	":1: got section \"stream /stats\", "
	"expected a path that is not one of the broker's own"},
    {"[stream /publish]\n",
	":1: got section \"stream /publish\", "
	"expected a path that is not one of the broker's own"},
    {"[strean /a]\n",
	":1: got section \"strean /a\", expected perhaps \"stream PATH\""},
    {"[streams]\n",
	":1: got section \"streams\", expected perhaps \"stream PATH\""},
    {"[stream /a]\nallow = a\n[http]\n[stream /a]\n",
	":4: got [stream /a] again, first in line 1"},
    {"[publisher]\n", ":1: got section \"publisher\", "
		      "expected [publisher user|group NAME]"},
    {"[publisher nobody]\n",
	":1: got section \"publisher nobody\", "
	"expected [publisher user NAME] or [publisher group NAME]"},
    {"[publisher user]\n",
	":1: got section \"publisher user\", "
	"expected [publisher user NAME] or [publisher group NAME]"},
    {"[publisher user no-such-user]\n",
	":1: got section \"publisher user no-such-user\", "
	"expected a user of this machine, or its number"},
    {"[publisher group no-such-group]\n",
	":1: got section \"publisher group no-such-group\", "
	"expected a group of this machine, or its number"},
    {"[publisher user 4294967295]\n",
	":1: got section \"publisher user 4294967295\", "
	"expected a user of this machine, or its number"},
    {"[publisher user 99999999999]\n",
	":1: got section \"publisher user 99999999999\", "
	"expected a user of this machine, or its number"},
    {"[publisher user -1]\n", ":1: got section \"publisher user -1\", "
			      "expected a user of this machine, or its number"},
    {"[publisher user root]\n[publisher user 0]\n",
	":2: got [publisher user 0] again, first in line 1"},
    {"[channel]\n", ":1: got section \"channel\", expected [channel PATTERN]"},
    {"[channel a:b*]\n", ":1: got section \"channel a:b*\", expected a "
			 "channel, a prefix that ends in :*, or *"},
    {"[channel a b]\n", ":1: got section \"channel a b\", expected a "
			"channel, a prefix that ends in :*, or *"},
    {"[chanel a]\n",
	":1: got section \"chanel a\", expected perhaps \"channel PATTERN\""},
    {"[channel a:*]\nkeep = none\n[channel a]\n[channel a:*]\n",
	":4: got [channel a:*] again, first in line 1"},
    /* --- keys --- */
    {"[channel a]\nkep = all\n",
	":2: [channel a] kep: there is no such "
	"setting, did you mean [channel PATTERN] keep?"},
    {"[channel a]\nmax_age = 1h\nkeep = none\n",
	":2: [channel a] max_age: there is no such bound with keep = none"},
    {"[channel *]\nkeep = none\n[channel a]\nkeep = none\n"
     "max_bytes = auto\n",
	":5: [channel a] max_bytes: there is no such bound with keep = none"},
    {"[stream /a]\nalow = a\n", ":2: [stream /a] alow: there is no such "
				"setting, did you mean [stream PATH] allow?"},
    {"[stream /a]\nretry = 1s\n", ":2: [stream /a] retry: there is no such "
				  "setting, did you mean [http] retry?"},
    {"[http]\npoke_type = x\n",
	":2: [http] poke_type: there is no such setting, did you mean "
	"[stream PATH] poke_type?"},
    {"[stream /a]\nallow = a\n\nallow = b\n",
	":4: [stream /a] allow: given twice, first in line 2"},
    {"[publisher user 0]\nallow = a\n",
	":2: [publisher user 0] allow: there is no such setting, did you "
	"mean [stream PATH] allow?"},
    /* --- values --- */
    {"[channel a]\nkeep = last\n", ":2: [channel a] keep: got \"last\", "
				   "expected all, none or latest"},
    {"[channel a]\nmax_age = 10\n",
	":2: [channel a] max_age: got \"10\", expected a time from 1s to "
	"36525d, or auto"},
    {"[channel a]\nmax_events = 0\n",
	":2: [channel a] max_events: got \"0\", expected a whole number from "
	"1 to 1000000000000, or auto"},
    {"[channel a]\nmax_bytes = 1\n",
	":2: [channel a] max_bytes: got \"1\", expected a size from 1k to "
	"1048576g, or auto"},
    {"[stream /a]\naccess = private\n",
	":2: [stream /a] access: got \"private\", "
	"expected auto, public, optional or authenticated"},
    {"[stream /a]\nallow = a, b:**\n",
	":2: [stream /a] allow: got \"a, b:**\", expected another pattern "
	"than \"b:**\": it is not a channel or pattern"},
    {"[stream /a]\nallow = a,,b\n", ":2: [stream /a] allow: got \"a,,b\", "
				    "expected 0 to 64 texts divided by commas"},
    {"[stream /a]\nquery_since = a&b\n",
	":2: [stream /a] query_since: got \"a&b\", expected a parameter's "
	"name of at most 32 letters, digits and -._~@:/, other than "
	"lastEventId and access_token"},
    {"[stream /a]\nquery_since = access_token\n",
	":2: [stream /a] query_since: got \"access_token\", expected a "
	"parameter's name of at most 32 letters, digits and -._~@:/, other "
	"than lastEventId and access_token"},
    {"[stream /a]\ntypes = a.*, b*c\n",
	":2: [stream /a] types: got \"a.*, b*c\", expected a type, a prefix "
	"that ends in *, or ! and one of these, in place of \"b*c\""},
    {"[stream /a]\ntypes = !{hidden}\n",
	":2: [stream /a] types: got \"!{hidden}\", expected a type, a prefix "
	"that ends in *, or ! and one of these, in place of \"!{hidden}\""},
    {"[stream /a]\nformat = json\n",
	":2: [stream /a] format: got \"json\", expected tagged, raw or "
	"envelope"},
    {"[stream /a]\nenvelope = a:data, a:ts\n",
	":2: [stream /a] envelope: got \"a:data, a:ts\", expected "
	"NAME:SOURCE, each name once, and a source of channel, channel.last, "
	"type, key, ts, data, cursor, snapshot"},
    {"[stream /a]\ngreeting = hello\n",
	":2: [stream /a] greeting: got \"hello\", expected standard, none, "
	"data TEXT or event NAME TEXT"},
    {"[stream /a]\ngreeting = comment\n",
	":2: [stream /a] greeting: got \"comment\", expected standard, none, "
	"data TEXT or event NAME TEXT"},
    {"[stream /a]\nheartbeat = standard\n",
	":2: [stream /a] heartbeat: got \"standard\", expected comment, "
	"none, data TEXT or event NAME TEXT"},
    {"[stream /a]\nlive = data {refused}\n",
	":2: [stream /a] live: got \"data {refused}\", expected one of "
	"{channels} {cursor} {ts} {stream} {user} {heartbeat} in place of "
	"{refused}"},
    {"[stream /a]\nheartbeat_interval = 5m\n",
	":2: [stream /a] heartbeat_interval: got \"5m\", expected a time "
	"from 1s to 250s, or auto"},
    {"[stream /a]\npoke = x\n", ":2: [stream /a] poke: got \"x\", " PATH_FORM},
    {"[stream /a]\nstats = /stats\n",
	":2: [stream /a] stats: got \"/stats\", expected a path that is not "
	"one of the broker's own"},
    {"[stream /a]\npoke = /\n",
	":2: [stream /a] poke: got \"/\", expected a path such as "
	"/events/poke"},
    {"[publisher user 0]\nchannels = a, b*\n",
	":2: [publisher user 0] channels: got \"a, b*\", expected a channel, "
	"a prefix that ends in :*, or *, in place of \"b*\""},
    /* --- what no line alone can tell --- */
    {"[stream /a]\nformat = raw\n", ":1: [stream /a] allow: a public stream "
				    "needs channels, allow or default"},
    {"[stream /a]\naccess = public\nallow = b, a:{sub}\n",
	":3: [stream /a] allow: a public stream looks at no token, and so "
	"has no {claims}"},
    {"[stream /a]\naccess = public\nallow = b\ntypes = {sub}.*\n",
	":4: [stream /a] types: a public stream looks at no token, and so "
	"has no {claims}"},
    {"[stream /a]\nallow = b\nquery_keys = types\n",
	":3: [stream /a] query_keys: got \"types\", which is query_types "
	"already"},
    {"[stream /a]\nallow = b\nquery_live = since\n",
	":3: [stream /a] query_live: got \"since\", which is query_since "
	"already"},
    {"[stream /a]\nallow = b\nformat = envelope\n",
	":3: [stream /a] format: the format envelope needs "
	"envelope = NAME:SOURCE, ..."},
    {"[stream /a]\nallow = b\npoke_channel = a:*\n",
	":3: [stream /a] poke_channel: got \"a:*\", expected a channel and "
	"no pattern"},
    {"[stream /a]\nallow = b\npoke = /b\npoke_type = bye\n",
	":4: [stream /a] poke_type: a type is at most 200 bytes without "
	"control characters, and not the name of a control event such as "
	"live, ping or bye"},
    {"[publish]\nmax_event = 3\n[stream /a]\nallow = b\npoke = /b\n",
	":3: [stream /a] poke_data: larger than the broker's max_event"},
    {"[stream /a]\nallow = b\npoke = /b\n[stream /b]\nallow = b\n",
	":3: [stream /a] poke: got \"/b\", which [stream /b] has as its path"},
    {"[stream /a]\nallow = b\nstats = /x\n[stream /b]\nallow = b\n"
     "poke = /x\n",
	":6: [stream /b] poke: got \"/x\", which [stream /a] has as its "
	"stats"},
    {"[stream /a]\nallow = b\npoke = /p\nstats = /p\n",
	":4: [stream /a] stats: got \"/p\", which [stream /a] has as its "
	"poke"},
    {"[stream /a]\nallow = b\npoke = /stream\n",
	":3: [stream /a] poke: got \"/stream\", which [stream /stream] has "
	"as its path"},
};

#endif
