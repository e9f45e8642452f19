"""The results as a picture: what each way takes over plain runc, with the budget drawn beside."""

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.bench.report import Results

BAR, BUDGET, DOT = "#3b7a78", "#c0392b", "#1d3b3a"


def draw(results: Results, path: str) -> None:
    """Write an SVG file that is the same for the same results."""
    mpl.rcParams["svg.hashsalt"] = "linkspan"
    names = [name for name in results.lives if name != results.base]
    figure = Figure(figsize=(9, 0.75 * len(names) + 1.4), layout="constrained")
    axes = figure.add_subplot()
    for line, name in enumerate(reversed(names)):
        _draw_way(axes, results, name, line)
    axes.set_yticks(range(len(names)), reversed(names))
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel(f"milliseconds over plain runc ({results.base_median:.0f} ms); one dot a round, red: the budget")
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


def _draw_way(axes: Axes, results: Results, name: str, line: int) -> None:
    extra, budget = results.over(name), results.budget(name)
    rounds = [one - base for one, base in zip(results.totals(name), results.totals(results.base), strict=True)]
    axes.barh(line, extra, height=0.5, color=BAR)
    axes.plot(rounds, [line] * len(rounds), ".", color=DOT, alpha=0.25, markersize=4)
    axes.annotate(f"{extra:+.1f}", (max(extra, 0), line), xytext=(4, 9), textcoords="offset points", fontsize=9)
    if budget is not None:
        axes.plot([budget, budget], [line - 0.4, line + 0.4], color=BUDGET, linewidth=2)
