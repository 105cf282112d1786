"""patterns: what patterns of channels and of types name, as the manual pages
have it. Pure, and written without a look at how the broker does it."""


def covers(pattern, channel):
    """Does the pattern name this channel?"""
    if pattern == "*":
        return True
    if pattern.endswith(":*"):
        return channel.startswith(pattern[:-1])
    return pattern == channel


def within(wide, narrow):
    """Does one pattern name every channel that another one names?"""
    if wide == "*" or wide == narrow:
        return True
    if not wide.endswith(":*") or narrow == "*":
        return False
    return narrow.startswith(wide[:-1])


def any_within(wides, narrow):
    return any(within(wide, narrow) for wide in wides)


def takes(types, kind, templates=()):
    """Does a list of patterns take an event of this type ("": none)? When it
    was made of templates that name types, and none is left, it takes none."""
    def names(pattern):
        return kind.startswith(pattern[:-1]) if pattern.endswith("*") else \
            kind == pattern
    if any(names(each[1:]) for each in types if each.startswith("!")):
        return False
    wanted = [each for each in types if not each.startswith("!")]
    if not wanted:
        return all(each.startswith("!") for each in templates)
    return any(map(names, wanted))
