"""isolation_rules: who may see what, worked out from the manual pages alone.

Pure: patterns, templates, tokens' grants, blocks and revocations as plain
Python values, written without a look at how the broker does it.
"""
import itertools
import re

from patterns import any_within, within

PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                  b"0123456789_.@/-")
CHANNEL = re.compile(r"[A-Za-z0-9_.:~@/-]{1,200}")


def unique(rows):
    return list(dict.fromkeys(rows))


def escaped(text):
    """A claim's value as one piece of a segment."""
    return "".join(chr(byte) if byte in PLAIN else "~%02X" % byte
                   for byte in text.encode())


def claim(claims, name):
    """The claim of that name, or what its dots lead to; None."""
    while name not in claims:
        head, dot, name = name.partition(".")
        claims = claims.get(head)
        if not dot or not isinstance(claims, dict):
            return None
    return claims[name]


def values(claims, name):
    """What a placeholder stands for: each usable value of the claim."""
    found = claim(claims, name)
    out = []
    for value in found if isinstance(found, list) else [found]:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and 0 < len(value.encode()) <= 256:
            out.append(escaped(value))
    return out


def fill(template, claims):
    """The patterns that claims make of a template."""
    parts = re.split(r"\{([^}]*)\}", template)
    choices = [values(claims, part) if place % 2 else [part]
               for place, part in enumerate(parts)]
    texts = ("".join(row) for row in itertools.product(*choices))
    return [text for text in texts if len(text) <= 200]


def fill_all(templates, claims):
    return [pattern for template in templates
            for pattern in fill(template, claims)]


def fill_types(templates, claims):
    """The patterns of types that claims make of templates."""
    out = []
    for template in templates:
        stem = template.rstrip("*") if "{" in template else template
        out += [text + template[len(stem):] for text in fill(stem, claims)]
    return out


class Block:
    """One [stream PATH]: its keys as lists, all with their defaults."""

    def __init__(self, path, access="authenticated", channels=(), allow=(),
                 default=(), types=(), form="tagged", ask="channels", rows=()):
        self.path, self.access, self.form, self.ask = path, access, form, ask
        self.channels, self.allow = channels, allow
        self.default, self.types = default, types
        self.rows = dict(rows)  # what else the configuration says

    def settings(self):
        """For the broker's command line."""
        rows = dict(self.rows, access=self.access, format=self.form,
                    channels=", ".join(self.channels),
                    allow=", ".join(self.allow),
                    default=", ".join(self.default),
                    types=", ".join(self.types), query_channels=self.ask)
        return {"stream %s.%s" % (self.path, key): value
                for key, value in rows.items()}

    def grants(self, claims, own):
        """All that may be subscribed to here."""
        return fill_all(list(self.channels) + list(self.allow) +
                        list(self.default), claims) + list(own)


class Rights:
    """What one request may do on one block."""

    def __init__(self, block, token, revoked):
        """token: None for nobody; revoked: patterns withdrawn from it."""
        self.block = block
        self.claims = token.claims if token is not None else {}
        self.own = token.subscribe if token is not None else []
        self.revoked = list(revoked) if token is not None else []
        self.granted = block.grants(self.claims, self.own)
        self.types = fill_types(block.types, self.claims)

    def may(self, pattern):
        return any_within(self.granted, pattern) and \
            not any_within(self.revoked, pattern)

    def opening(self, asked):
        """(members, refused) of a stream that asks for these."""
        fixed = fill_all(self.block.channels, self.claims)
        if self.block.ask and asked:
            wish = asked
        else:
            wish = fill_all(self.block.default, self.claims)
        members = [each for each in unique(fixed + wish) if self.may(each)]
        refused = [each for each in unique(fixed + wish)
                   if not self.may(each)]
        return members, refused


class Op:
    """One revocation, or one taking back, and when it was under way."""

    def __init__(self, kind, pattern):
        self.kind, self.pattern = kind, pattern
        self.called = self.returned = float("inf")  # on the steady clock
        self.called_ms = self.returned_ms = None    # Unix time
        self.returned_n = float("inf")  # first event published after it

    def __repr__(self):
        return "%s %s (before %s)" % (self.kind, self.pattern,
                                      self.returned_n)


def revoked_by(ops, issued):
    """Patterns withdrawn, after these, from a token of that time (seconds;
    None: it does not say)."""
    table = {}
    for op in ops:
        if op.kind == "revoke":
            table[op.pattern] = op.called_ms
        else:
            for pattern in list(table):
                if within(op.pattern, pattern):
                    del table[pattern]
    return [pattern for pattern, at_ms in table.items()
            if issued is None or issued * 1000 <= at_ms]
