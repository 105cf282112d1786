"""model_member: a pattern of a stream, and a change of these."""
import collections

from patterns import covers


class Member:
    """A pattern of the stream: where it begins, and what has passed by."""

    def __init__(self, pattern, begin):
        self.pattern, self.begin = pattern, begin
        self.have = set()   # places that it has brought,
        self.mark = 0       # and all up to this cursor

    def wants(self, row):
        return self.begin < row.cursor and covers(self.pattern, row.channel)


Change = collections.namedtuple(
    "Change", "added refused removed since head at_head lost windowed")
Change.__doc__ = """A change of the stream that was answered. since: where the
added patterns begin; head: of the log, then; at_head: so far was the stream;
lost: channels of which a resync is due; windowed: what the store let go of
comes as well."""
