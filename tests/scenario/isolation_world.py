"""isolation_world: users with nasty names, their tokens, channels that look
like each other, and what may be asked for, all from one seed."""
import collections
import time

import isolation_rules as rules
import patterns
import tokens
from isolation_rules import Block

LEEWAY_MS = 2000
ISSUER = "https://issuer.example"

BLOCKS = [
    Block("/app", channels=["user:{sub}"],
          allow=["org:{org}:*", "org:{org}", "page:*"]),
    Block("/org", allow=["org:{org}:*"],
          default=["org:{org}:*", "team:{team.id}:{role}"]),
    Block("/public", access="public", allow=["public:*", "page:*"],
          default=["public:*"]),
    Block("/maybe", access="optional", channels=["public:news"],
          allow=["user:{sub}:*", "public:*"]),
    Block("/orders", allow=["org:{org}:*"], default=["org:{org}:orders"],
          types=["order.*", "!order.debug", "page.created"], form="raw"),
    Block("/mine", channels=["user:{sub}", "user:{sub}:inbox"], ask="",
          form="envelope",
          rows={"envelope": "channel:channel, type:type, data:data"}),
    Block("/kinds", allow=["org:{org}:*"], default=["org:{org}:*"],
          types=["{sees}.*", "sync", "!order.debug"]),
    Block("/all", allow=["*"], types=["{sees}*"]),
]
BUILT_IN = Block("/stream")  # there without a word in the configuration

NAMES = ["*", "~2A", "a:b", "a~3Ab", "a:*", "u1", "u10", "u1:inbox", "u1:*",
         "U1", "u1 ", "u1,u2", "{sub}", "user:u1", "org:1", "org:1:*", "..",
         "a/b", "a@b", "-s", "--", "\u00fc", "u\u0308", "\u540d\u524d",
         "\U0001f600", "\"", "\\", "'; --", "%2A", "null", "0",
         "L" * 193, "L" * 195, "L" * 196, "L" * 256]
USERS = 200

TYPES = ["", "", "order.created", "order.updated", "order.debug", "order.",
         "order", "orders", "page.created", "page.debug", "sync", "message"]
ASKED_TYPES = [["order.*"], ["!order.debug"], ["order.*", "!order.updated"],
               ["sync", "page.*"], ["message"], ["*"], ["!*"], ["order."]]

ORGS = [str(n) for n in range(1, 13)] + ["1x"]
BELOW = ["", ":x", ":x:y", ":xy", ":orders", ":~2A"]
COMMON = ["org", "org:", "org::", "orgs:1", "user", "user:", "user::", "~",
          ":", "::x", "page:1", "page:10", "page:1:a", "page", "public",
          "public:", "public:news", "public:news:x", "public:newsroom",
          "publicity:x", "team:a:admin", "team:a:view", "team:a/b:admin",
          "team:a:admin:x", "team:a:adminx", "team:b:view"]


class Token:
    """What a request shows, and what the model knows of it."""

    def __init__(self, user, claims, text, codes=()):
        self.user, self.claims, self.text = user, claims, text
        self.codes = set(codes)  # of the refusals that are due; empty: good
        self.issued = claims.get("iat")
        self.exp_ms = claims.get("exp", 0) * 1000
        self.expires_ms = self.exp_ms + LEEWAY_MS  # is taken until then
        own = claims.get("ssemux", {})
        self.subscribe = own.get("subscribe", [])
        self.publish = own.get("publish", [])

    @property
    def good(self):
        return not self.codes

    def lasts_ms(self, taken_ms):
        """When a stream ends that took it by then: at exp; or later, when
        that had passed, for clocks differ a little."""
        return self.exp_ms if taken_ms < self.exp_ms else self.expires_ms

    def expired(self):
        """The same, when its time has come."""
        return Token(self.user, self.claims, self.text, ["token-expired"])


class User:
    def __init__(self, name, claims):
        self.name, self.claims = name, claims
        self.ops = []        # revocations and the like, in order
        self.busy = False    # one is under way
        self.newest = 0      # latest iat of a token
        self.wallet = []     # good tokens
        self.streams = set()  # that are open


def now_ms():
    return time.time() * 1000


class World:
    """Everything that is drawn by lot."""

    def __init__(self, dice, folder):
        self.dice = dice
        self.key = tokens.Secret()
        self.key_file = folder + "/key"
        self.key.write(self.key_file)
        self.wrong = tokens.Secret()
        self.blocks = BLOCKS + [BUILT_IN]
        self.asked_types = ASKED_TYPES
        names = NAMES + ["user%d" % n for n in range(USERS - len(NAMES))]
        self.users = [User(name, self.claims_of(name)) for name in names]
        self.channels = self.all_channels()
        self.hot = collections.deque(maxlen=30)
        self.resyncs = 0

    def settings(self):
        rows = {"auth.mode": "jwt", "auth.jwt_key_file": self.key_file,
                "auth.issuer": ISSUER, "auth.leeway": "%dms" % LEEWAY_MS,
                "auth.expiring_notice": "1s"}
        for block in BLOCKS:
            rows.update(block.settings())
        return rows

    # ---- channels

    def all_channels(self):
        out = ["org:" + org + tail for org in ORGS for tail in BELOW]
        for user in self.users:
            name = rules.escaped(user.name)
            out += ["user:" + name, "user:" + name + ":inbox"]
        out += ["user:" + name for name in ("u1:x", "u", "~", "a", "a:b", "~2")]
        return [each for each in rules.unique(out + COMMON)
                if rules.CHANNEL.fullmatch(each)]

    def event(self):
        """(channel, type) of the next event."""
        dice = self.dice
        fate = dice.random()
        if fate < 0.15 and self.hot:
            channel = dice.choice(self.hot)
        elif fate < 0.7:
            channel = "org:" + dice.choice(ORGS) + dice.choice(BELOW)
        else:
            channel = dice.choice(self.channels)
        return channel, dice.choice(TYPES)

    def hit(self, pattern, count):
        """Channels that the pattern names, so many at most; which then come
        more often than others."""
        names = [each for each in self.channels
                 if patterns.covers(pattern, each)]
        names = self.dice.sample(names, min(count, len(names)))
        self.hot.extend(names)
        return names

    def resync_channel(self):
        """A channel of its own, so that the answer says which it was."""
        self.resyncs += 1
        return "%s:resync%d" % (self.dice.choice(
            ["org:" + self.dice.choice(ORGS), "public", "page"]), self.resyncs)

    # ---- claims and tokens

    def claims_of(self, name):
        dice = self.dice
        orgs = [dice.choice([org, int(org)] if org.isdigit() else [org])
                for org in dice.sample(ORGS, dice.choice([1, 1, 2, 3]))]
        if dice.random() < 0.2:
            orgs += dice.sample(["*", "1:x", "1:*", "", True, None, 1.5, ["2"],
                                 {"3": "4"}, "1x", -1, "\u00fc", "x" * 300], 2)
        claims = {"org": dice.choice([orgs, orgs, orgs, orgs[0]]),
                  "role": dice.choice(["admin", "view", ["admin", "view"], "*",
                                       "admin:x"])}
        team = dice.choice(["a", "b", "a/b", "a:b", ["a", "b"], "*"])
        claims.update(dice.choice([{"team": {"id": team}}, {"team.id": team},
                                   {"team": "a"}, {}]))
        return dict(claims, sub=name, iss=ISSUER)

    def grants(self):
        """A token's own: overlapping, and now and then everything."""
        dice = self.dice
        if dice.random() < 0.01:
            return ["*"]
        return [self.pattern() for _ in range(dice.choice([0, 1, 2, 4]))]

    def pattern(self):
        channel = self.event()[0]
        return self.dice.choice([channel, channel + ":*",
                                 channel.rpartition(":")[0] + ":*"]) \
            if len(channel) < 190 else channel

    def issue(self, user, seconds=600, back=None):
        """A good token: issued so many seconds ago, or by lot; which cannot
        be in the midst of a revocation."""
        dice, now = self.dice, int(time.time())
        if user.busy:
            back = dice.choice([5, 100, None])
        elif back is None:
            back = dice.choice([0, 0, 5, 100, None])
        claims = dict(user.claims, exp=now + seconds, sees=dice.choice(
            ["order", "page", ["order", "page"], ["s"], "*", "order.", 5, []]),
                      ssemux={"subscribe": self.grants(),
                              "publish": self.grants()})
        if dice.random() < 0.2:
            claims["org"] = dice.choice(ORGS)
        if back is not None:
            claims["iat"] = now - back
            while any(op.called_ms < claims["iat"] * 1000 <= op.returned_ms
                      for op in user.ops if op.returned_ms):
                claims["iat"] += 1
            user.newest = max(user.newest, claims["iat"])
        token = Token(user, claims, self.key.token(**dict(
            claims, iat=claims.get("iat"))))
        user.wallet = user.wallet[-3:] + [token]
        return token

    def issue_anew(self, user):
        """A token that is younger than every revocation of the user, when
        none is under way."""
        if user.busy:
            return self.issue(user)
        last = max([op.returned_ms for op in user.ops], default=0)
        back = 0 if last < int(time.time()) * 1000 else -1
        return self.issue(user, back=back)

    def forge(self, user):
        """A bad token that speaks of the user."""
        dice, key, now = self.dice, self.key, int(time.time())
        good = dict(user.claims, iat=now, exp=now + 600,
                    ssemux={"subscribe": ["*"]})
        head = key.header()
        text = key.sign(head, good)
        first, second, third = text.split(".")
        rich = tokens.part(dict(good, org=ORGS, exp=now + 601))
        other = dict(good, iss=ISSUER + "/")
        kind, made = dice.choice([
            ("token-invalid", self.wrong.sign(head, good)),
            ("token-invalid", ".".join([tokens.part({"alg": "none"}), second,
                                        ""])),
            ("token-invalid", ".".join([tokens.part({"alg": "none"}), second,
                                        third])),
            ("token-invalid", ".".join([first, rich, third])),
            ("token-invalid", text[:-4]),
            ("token-invalid", ".".join([first, second])),
            ("token-invalid", ".".join([tokens.part({"alg": "HS512"}), second,
                                        third])),
            ("token-invalid", key.sign(head, other)),
            ("token-invalid", key.sign(head, dict(good, nbf=now + 100))),
            ("token-invalid", key.sign(head, dict(good, iat=now + 100))),
            ("token-invalid", key.sign(head, dict(good, sub=None))),
            ("token-invalid", key.sign(head, dict(good, sub=""))),
            ("token-invalid", key.sign(head, dict(good, sub="a\nb"))),
            ("token-invalid", key.sign(head, dict(good, sub=["u1", "u2"]))),
            ("token-invalid", key.sign(head, dict(good, aud="another"))),
            ("token-invalid", key.sign(head, dict(good, exp="never"))),
            ("token-expired", key.sign(head, dict(good, exp=now - 10))),
            ("token-expired", key.sign(head, dict(good, iat=1, exp=2))),
        ])
        return Token(user, good, made, [kind])

    # ---- requests

    def ask(self, block, token):
        """Patterns to ask for: granted ones, narrower, wider, siblings, those
        of others."""
        dice = self.dice
        if dice.random() < 0.2:
            return []
        own = block.grants(token.claims, token.subscribe) if token else []
        out = []
        for _ in range(dice.choice([1, 1, 2, 3, 6])):
            base = dice.choice(own) if own and dice.random() < 0.7 else \
                self.pattern()
            out.append(self.vary(base))
        if dice.random() < 0.05:
            out.append(dice.choice(["*", "org:*", "user:*", "::*"]))
        return rules.unique(out)

    def offer(self, token):
        """A channel to publish on: one that the token allows, or any."""
        pattern = self.dice.choice(token.publish) \
            if token and token.publish else "*"
        if pattern == "*" or self.dice.random() < 0.4:
            return self.event()[0]
        if not pattern.endswith(":*"):
            return pattern
        return self.dice.choice([pattern[:-1] + "x", pattern[:-1] + "x:y",
                                 pattern[:-2] or ":", pattern[:-2] + "0:x"])

    def vary(self, base):
        stem = base[:-2] if base.endswith(":*") else base
        made = self.dice.choice([
            base, base, base, stem, stem + ":*", stem + ":x", stem + ":x:*",
            stem + "0:*", stem + "x", stem[:-1] + ":*",
            stem.rpartition(":")[0] + ":*"])
        valid = rules.CHANNEL.fullmatch(
            made[:-1] if made.endswith(":*") else made)
        return made if valid and len(made) <= 200 else base
