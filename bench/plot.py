# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plots of lines and of bars, as SVG."""

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 400, 70, 60, 40
COLOURS = ["#0b6e99", "#c8553d", "#588157", "#b08900", "#7a5195"]


def steps(most):
    """About five round numbers from 0 on."""
    size = 10.0 ** len(str(int(most))) / 100
    step = next(size * factor for factor in (1, 2, 5, 10, 20, 50, 100) if most / (size * factor) <= 6)
    return [step * i for i in range(int(most / step) + 2)]


def written(x, y, words, anchor="middle", more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"{more}>{words}</text>'


def begun(height, title):
    return [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{height}" fill="white"/>', written(WIDTH / 2, 20, title, more=' font-size="14"')]


def ended(path, drawn):
    with open(path, "w") as file:
        file.write("\n".join([*drawn, "</svg>", ""]))


def bars(path, title, groups, show):
    """`groups` is a dict of names to dicts of names to values: a bar for each value, as long as it is large."""
    most, left, line = max(max(group.values()) for group in groups.values()), 200, 18
    height = TOP + sum(line * (len(group) + 2) for group in groups.values())
    drawn, y = begun(height, title), TOP
    colours = dict(zip(dict.fromkeys(name for group in groups.values() for name in group), COLOURS))
    for name, group in groups.items():
        drawn += [written(20, y + 13, name, "start", ' font-weight="bold"')]
        for peer, value in group.items():
            y += line
            length = value / most * (WIDTH - left - 80)
            drawn += [written(left - 6, y + 13, peer, "end"), written(left + length + 6, y + 13, show(value), "start"),
                      f'<rect x="{left}" y="{y + 2}" width="{length:.1f}" height="{line - 4}" fill="{colours[peer]}"/>']
        y += 2 * line
    ended(path, drawn)


def plot(path, title, across, upward, lines):
    """`lines` is a dict of names to dicts of x to y."""
    x_steps = steps(max(x for line in lines.values() for x in line))
    y_steps = steps(max(y for line in lines.values() for y in line.values()))

    def place(x, y):
        return (LEFT + x / x_steps[-1] * (WIDTH - LEFT - 20), HEIGHT - BOTTOM - y / y_steps[-1] * (HEIGHT - BOTTOM - TOP))

    drawn = [*begun(HEIGHT, title), written(WIDTH / 2, HEIGHT - 15, across),
             written(18, HEIGHT / 2, upward, more=f' transform="rotate(-90 18 {HEIGHT / 2})"')]
    for y in y_steps:
        (left, at), (right, _) = place(0, y), place(x_steps[-1], y)
        drawn += [f'<path d="M{left:.1f} {at:.1f}H{right:.1f}" stroke="#ddd"/>', written(left - 6, at + 4, f"{y:g}", "end")]
    for x in x_steps:
        at, bottom = place(x, 0)
        drawn += [written(at, bottom + 16, f"{x:g}")]
    for (name, line), colour in zip(lines.items(), COLOURS):
        points = [place(x, y) for x, y in sorted(line.items())]
        path_of = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        drawn += [f'<path d="M{path_of}" fill="none" stroke="{colour}" stroke-width="2"/>']
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        drawn += [written(points[-1][0], points[-1][1] - 8, name, "end", f' fill="{colour}"')]
    ended(path, drawn)
