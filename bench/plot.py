"""The figures that have an aim, as a picture: how far each is on the right side of it."""

import math
from html import escape

from bench.figures import KINDS, Aim, Figures
from bench.showing import number

_ROW, _TOP, _LEFT, _WIDE, _RIGHT = 28, 56, 150, 480, 170
_FARTHEST = 3.0
"""Doublings shown on either side of the aim."""
_STYLE = """
text{font:13px system-ui,sans-serif;fill:#1c2733}.small{font-size:11px;fill:#5b6b7b}
.grid{stroke:#d5dde5}.aim{stroke:#1c2733;stroke-width:1.5}.met{fill:#1a7f4b;stroke:#1a7f4b}.missed{fill:#c2352b;stroke:#c2352b}
.back{fill:#fff}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9fb0c0}.grid{stroke:#33414f}.aim{stroke:#e6edf3}
.met{fill:#4cc38a;stroke:#4cc38a}.missed{fill:#ff8177;stroke:#ff8177}.back{fill:#11181f}}
"""


def plot(figures: Figures) -> str:
    """An SVG. Each row has the median as a dot and all rounds as a line; a step is a doubling, right is better."""
    rows = [name for name in figures if KINDS[name].aim]
    height = _TOP + _ROW * len(rows) + 20
    width = _LEFT + _WIDE + _RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>Figures beside their aims</title><style>{_STYLE}</style>",
        f'<rect class="back" width="{width}" height="{height}"/>',
    ]
    for doublings in range(-int(_FARTHEST), int(_FARTHEST) + 1):
        x = _x(2.0**doublings)
        label = "aim" if doublings == 0 else f"{2 ** abs(doublings)}× {'better' if doublings > 0 else 'worse'}"
        parts.append(f'<text class="small" x="{x:.0f}" y="{_TOP - 22}" text-anchor="middle">{label}</text>')
        kind = "aim" if doublings == 0 else "grid"
        parts.append(f'<line class="{kind}" x1="{x:.0f}" x2="{x:.0f}" y1="{_TOP - 14}" y2="{height - 16}"/>')
    for place, name in enumerate(rows):
        parts += _row(figures, name, _TOP + _ROW * place + _ROW // 2)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _row(figures: Figures, name: str, y: int) -> list[str]:
    aim = KINDS[name].aim
    assert aim is not None
    median = figures.median(name)
    least, most = sorted(_x(_better(value, aim)) for value in figures.range(name))
    kind = "met" if aim.met(median) else "missed"
    return [
        f"<g><title>{escape(KINDS[name].means)}</title>",
        f'<text x="{_LEFT - 14}" y="{y + 4}" text-anchor="end">{name}</text>',
        f'<line class="{kind}" x1="{least:.1f}" x2="{most:.1f}" y1="{y}" y2="{y}" stroke-width="3" opacity=".45"/>',
        f'<circle class="{kind}" cx="{_x(_better(median, aim)):.1f}" cy="{y}" r="5"/>',
        f'<text x="{_LEFT + _WIDE + 14}" y="{y + 4}">{number(median)}'
        f'<tspan class="small" dx="8">aim {escape(str(aim))}</tspan></text></g>',
    ]


def _better(value: float, aim: Aim) -> float:
    """How many times better than its aim."""
    ratio = max(value, 1e-9) / aim.bound
    return ratio if aim.least else 1 / ratio


def _x(times_better: float) -> float:
    doublings = max(-_FARTHEST, min(_FARTHEST, math.log2(times_better)))
    return _LEFT + _WIDE * (doublings + _FARTHEST) / (2 * _FARTHEST)
