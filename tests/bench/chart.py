"""chart: figures as SVG, readable on light and on dark."""
import math
import re
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 800, 420
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 88, 56
# Who is measured has one colour in all charts; others take what is left.
COLOURS = {"floor": 0, "ssemux": 1, "nchan": 2, "node": 3}

STYLE = """<style>
svg { background: #ffffff; font: 13px system-ui, "DejaVu Sans", sans-serif }
text { fill: #24292f }
.small { font-size: 11px }
.title { font-size: 16px; font-weight: 600 }
.grid { stroke: #d0d7de; stroke-width: 1 }
.axis { stroke: #57606a; stroke-width: 1 }
.line { fill: none; stroke-width: 2.5 }
.dashed { stroke-dasharray: 7 5 }
.s0 { stroke: #0969da; fill: #0969da } .s1 { stroke: #bc4c00; fill: #bc4c00 }
.s2 { stroke: #1a7f37; fill: #1a7f37 } .s3 { stroke: #8250df; fill: #8250df }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117 } text { fill: #e6edf3 }
.grid { stroke: #30363d } .axis { stroke: #8b949e }
.s0 { stroke: #58a6ff; fill: #58a6ff } .s1 { stroke: #f0883e; fill: #f0883e }
.s2 { stroke: #3fb950; fill: #3fb950 } .s3 { stroke: #bc8cff; fill: #bc8cff }
}
.line { fill: none }
</style>"""


def show(value):
    return "{:,.0f}".format(value) if value >= 10 or value == int(value) \
        else "%g" % round(value, 2)


def linear_ticks(top):
    """Round steps from 0 to at least this."""
    rough = top / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 2.5, 5, 10)
                if each * power >= rough)
    return [n * step for n in range(math.ceil(top / step) + 1)]


def log_ticks(low, high):
    """Powers of ten from below the first; the last is the next round number
    above the other."""
    ticks = [10.0 ** n for n in range(math.floor(math.log10(low)),
                                      math.floor(math.log10(high)) + 1)]
    last = next(each * ticks[-1] for each in (1, 2, 5, 10)
                if each * ticks[-1] >= high)
    return ticks + [last] * (last > ticks[-1])


def styles_of(names):
    """(colour, dashed) of each: by who it is, and the second of one is
    dashed."""
    found = []
    for n, name in enumerate(names):
        colour = COLOURS.get(re.split(r"[ :,]", name)[0], n % 4)
        found.append((colour, colour in [each for each, _ in found]))
    return found


class Sheet:
    """The frame of a chart, and what is drawn into it."""

    def __init__(self, title, y_label, ticks, log_y):
        self.ticks, self.log_y = ticks, log_y
        self.parts = [
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" '
            'width="%d" height="%d" role="img" aria-label="%s">' % (
                WIDTH, HEIGHT, WIDTH, HEIGHT, escape(title)), STYLE]
        self.text(LEFT, 24, title, "title")
        self.text(LEFT, 46, y_label)
        for tick in ticks:
            y = self.y(tick)
            self.rule(LEFT, y, WIDTH - RIGHT, y, "grid")
            self.text(LEFT - 8, y + 4, show(tick), anchor="end")
        self.rule(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM,
                  "axis")

    def y(self, value):
        def place(each):
            return math.log10(each) if self.log_y else each
        low, high = place(self.ticks[0]), place(self.ticks[-1])
        share = (place(max(value, self.ticks[0])) - low) / (high - low)
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)

    def text(self, x, y, text, kind="", anchor="start"):
        self.parts.append(
            '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (
                x, y, anchor, ' class="%s"' % kind if kind else "",
                escape(text)))

    def rule(self, x1, y1, x2, y2, kind):
        self.parts.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" '
                          'class="%s"/>' % (x1, y1, x2, y2, kind))

    def legend(self, names, sample):
        """sample(x, colour, dashed) draws what stands before a name."""
        x = LEFT
        for name, style in zip(names, styles_of(names)):
            sample(x, *style)
            self.text(x + 30, 71, name)
            x += 54 + 7.2 * len(name)

    def box(self, x, colour, _):
        self.parts.append('<rect x="%.1f" y="60" width="24" height="12" '
                          'class="s%d"/>' % (x, colour))

    def stroke(self, x, colour, dashed):
        self.rule(x, 66, x + 24, 66, "s%d line%s" % (
            colour, " dashed" * dashed))

    def done(self):
        return "\n".join(self.parts + ["</svg>", ""])


def scale_y(values, log_y):
    return log_ticks(min(values), max(values)) if log_y \
        else linear_ticks(max(values))


def lines(title, x_label, y_label, series, log_y=False):
    """{name: [(x, y)]}; the x are drawn evenly, each with its number."""
    values = [y for line in series.values() for _, y in line if y is not None]
    sheet = Sheet(title, y_label, scale_y(values, log_y), log_y)
    xs = sorted({x for line in series.values() for x, _ in line})

    def at(x):
        return LEFT + (WIDTH - LEFT - RIGHT) * (xs.index(x) + 0.5) / len(xs)
    for x in xs:
        sheet.text(at(x), HEIGHT - BOTTOM + 20, show(x), anchor="middle")
    sheet.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_label,
               anchor="middle")
    for (colour, dashed), line in zip(styles_of(series), series.values()):
        points = [(at(x), sheet.y(y)) for x, y in line if y is not None]
        sheet.parts.append('<polyline class="s%d line%s" points="%s"/>' % (
            colour, " dashed" * dashed,
            " ".join("%.1f,%.1f" % each for each in points)))
        for x, y in points:
            sheet.parts.append('<circle cx="%.1f" cy="%.1f" r="4" '
                               'class="s%d"/>' % (x, y, colour))
    sheet.legend(list(series), sheet.stroke)
    return sheet.done()


def bars(title, y_label, groups, series, log_y=False):
    """{name: [y of each group]}; each bar has its number."""
    values = [y for line in series.values() for y in line if y is not None]
    sheet = Sheet(title, y_label, scale_y(values, log_y), log_y)
    room = (WIDTH - LEFT - RIGHT) / len(groups)
    width = room * 0.84 / len(series)
    for g, group in enumerate(groups):
        start = LEFT + g * room + room * 0.08
        sheet.text(LEFT + (g + 0.5) * room, HEIGHT - BOTTOM + 20, group,
                   anchor="middle")
        for n, ((colour, _), line) in enumerate(zip(styles_of(series),
                                                    series.values())):
            if line[g] is None:
                continue
            y = sheet.y(line[g])
            sheet.parts.append(
                '<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" '
                'class="s%d"/>' % (start + n * width, y, width - 2,
                                   HEIGHT - BOTTOM - y, colour))
            sheet.text(start + (n + 0.5) * width - 1, y - 4,
                       show(float("%.2g" % line[g])), "small", "middle")
    sheet.legend(list(series), sheet.box)
    return sheet.done()
