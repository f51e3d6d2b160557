"""The cost-quality curve of each file as one picture."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from orchestrate.measure.routing_report import ROUTER, Report, Spot

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 200, 50, 60
TICKS = 5
COLOURS = ("#1d4ed8", "#6b7280", "#b45309", "#047857", "#7c3aed", "#be123c")
CHARACTERS = "".join(map(chr, (*range(32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)))  # that XML cannot hold


class Axis(NamedTuple):
    title: str
    low: float
    high: float


AXES = {
    "tiers": (
        Axis("cost of the first try (haiku 1, sonnet 3, opus 5)", 1, 5),
        Axis("first try good enough, %", 0, 100),
    ),
    "weak and strong": (Axis("calls to the strong model, %", 0, 100), Axis("gap recovered, %", 0, 100)),
}


def picture(reports: Sequence[Report]) -> str:
    panels = "\n".join(_panel(report, number * HEIGHT) for number, report in enumerate(reports))
    size = f'width="{WIDTH}" height="{HEIGHT * len(reports)}" viewBox="0 0 {WIDTH} {HEIGHT * len(reports)}"'
    style = 'font-family="sans-serif" font-size="12" fill="#111827"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n<title>Cost and quality of routing</title>\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n{panels}\n</svg>\n'
    )


def _panel(report: Report, down: int) -> str:
    across, up = AXES[report.kind]
    spots = [*report.curve, *report.marks.values()]
    up = up._replace(
        low=min([up.low, *(spot.quality for spot in spots)]), high=max([up.high, *(s.quality for s in spots)])
    )
    parts = [
        _text(LEFT, 24, f"{report.name} ({report.rows} rows)", size=14),
        *_axes(across, up),
        _line(report.curve, across, up),
        *_marks(report, across, up),
    ]
    return f'<g transform="translate(0 {down})">\n' + "\n".join(filter(None, parts)) + "\n</g>"


def _axes(across: Axis, up: Axis) -> Iterator[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for tick in range(TICKS + 1):
        x, y = LEFT + (right - LEFT) * tick / TICKS, bottom - (bottom - TOP) * tick / TICKS
        yield f'<path d="M{LEFT} {y:.1f}H{right}M{x:.1f} {TOP}V{bottom}" stroke="#e5e7eb" fill="none"/>'
        yield _text(x, bottom + 18, f"{across.low + (across.high - across.low) * tick / TICKS:.3g}", anchor="middle")
        yield _text(LEFT - 8, y + 4, f"{up.low + (up.high - up.low) * tick / TICKS:.3g}", anchor="end")
    yield f'<path d="M{LEFT} {TOP}V{bottom}H{right}" stroke="#111827" fill="none"/>'
    yield _text((LEFT + right) / 2, HEIGHT - 18, across.title, anchor="middle")
    middle = (TOP + bottom) / 2
    yield f'<g transform="rotate(-90 20 {middle})">{_text(20, middle, up.title, anchor="middle")}</g>'


def _line(curve: Sequence[Spot], across: Axis, up: Axis) -> str:
    if not curve:
        return _text(LEFT + 20, TOP + 30, "the strong model is not the better one: no curve")
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (_place(spot, across, up) for spot in curve))
    return f'<polyline points="{points}" stroke="{COLOURS[0]}" stroke-width="2" fill="none"/>'


def _marks(report: Report, across: Axis, up: Axis) -> Iterator[str]:
    for number, (name, spot) in enumerate(report.marks.items()):
        x, y = _place(spot, across, up)
        colour = COLOURS[number % len(COLOURS)]
        low = TOP + 10 + 20 * number
        told = f"{name}{'' if report.kind == 'tiers' else f' {spot.cost:.0f} %'}"
        radius = 6 if name == ROUTER else 4
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"><title>{_safe(told)}</title></circle>'
        yield f'<circle cx="{WIDTH - RIGHT + 20}" cy="{low}" r="5" fill="{colour}"/>'
        yield _text(WIDTH - RIGHT + 32, low + 4, told)


def _place(spot: Spot, across: Axis, up: Axis) -> tuple[float, float]:
    x = LEFT + (WIDTH - RIGHT - LEFT) * (spot.cost - across.low) / (across.high - across.low)
    y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (spot.quality - up.low) / (up.high - up.low)
    return x, y


def _text(x: float, y: float, words: str, anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{_safe(words)}</text>'


def _safe(words: str) -> str:
    return escape(words.translate(dict.fromkeys(map(ord, CHARACTERS))))
