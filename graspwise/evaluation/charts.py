"""Plots of a cross-validated benchmark, each once for light and once for dark pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from graspwise.evaluation.comparison import Row, main_row, peer_row
from graspwise.evaluation.document import Block, Chart, Details, Table
from graspwise.evaluation.table_one import categories, compared_rows, reliability_table
from graspwise.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches; a phone shows the plot at about a third, so that its letters stay legible.
WIDTH = 4.8
DPI = 180
LABEL = 26
# Times as long as the shortest curve, beyond which samples are drawn on a logarithmic scale.
LONG = 4
STYLES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class Theme:
    """Colours of a plot; those of the lines can be told apart with any eyes (Okabe and Ito)."""

    paper: str
    ink: str
    grid: str
    lines: tuple[str, ...]


LIGHT = Theme("#ffffff", "#1f2328", "#d8dee4",
              ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b07d00", "#5aa5d0", "#6b6b6b", "#000000"))  # fmt: skip
DARK = Theme("#161b22", "#e6edf3", "#3a424c",
             ("#56b4e9", "#ff8c42", "#2fc99b", "#e6a3c7", "#e6b93f", "#8fd0f5", "#a0a0a0", "#ffffff"))  # fmt: skip

Draw = Callable[["Figure", Theme], None]


def curve_chart(rows: Sequence[Row], split: str) -> tuple[Chart, Details, Draw] | None:
    """Fig. 7: validation accuracy through training; None where no row has a curve."""
    chosen = [row for row in in_order(rows, split) if row["curve"]]
    if not chosen:
        return None

    def draw(figure: "Figure", theme: Theme) -> None:
        figure.set_size_inches(WIDTH, 3.5)
        axes = figure.subplots()
        ruled(axes, theme)
        for index, row in enumerate(chosen):
            samples, percents = zip(*row["curve"], strict=True)
            axes.plot(samples, percents, STYLES[index % len(STYLES)], color=colour(theme, index),
                      marker="o", markersize=3, linewidth=1.4, label=shortened(row["label"]))  # fmt: skip
        axes.set(xlabel="samples trained on, after the alignment", ylabel="validation accuracy, %", ylim=(0, 100))
        ends = [row["curve"][-1][0] for row in chosen]
        if max(ends) > LONG * min(ends):
            # Otherwise the shorter trainings would be a streak at the left.
            axes.set_xscale("log")
            axes.minorticks_off()
            axes.xaxis.set_major_formatter("{x:,.0f}")
        else:
            axes.set_xlim(left=0)
        legend(figure, theme)

    steps = sorted({int(samples) for row in chosen for samples, _ in row["curve"]})
    at = [{int(samples): percent for samples, percent in row["curve"]} for row in chosen]
    lines = tuple((f"{step:,}", *(f"{points[step]:.1f}" if step in points else "" for points in at)) for step in steps)
    title = "Validation accuracy through training, %, mean over folds"
    table = Table(title, ("samples", *(row["label"] for row in chosen)), lines)
    return Chart(f"plots/{split}-curve.png", title), Details(title, table), draw


def reliability_chart(rows: Sequence[Row], split: str) -> tuple[Chart, Details, Draw] | None:
    """Hits by category, a bar a model; None where no category has photographs enough."""
    compared = compared_rows(rows, split)
    names = categories(compared[0]) if compared else []
    table = reliability_table(rows, split)
    if not names or table is None:
        return None

    def draw(figure: "Figure", theme: Theme) -> None:
        figure.set_size_inches(WIDTH, 1.0 + (0.09 + 0.13 * len(compared)) * len(names))
        axes = figure.subplots()
        ruled(axes, theme, axis="x")
        height = 0.8 / len(compared)
        for index, row in enumerate(compared):
            for place, name in enumerate(names):
                counted = row["summary"]["by_category"].get(name)
                if counted is None:
                    continue
                percent = 100 * counted["hits"] / counted["n"]
                y = place + (index - (len(compared) - 1) / 2) * height
                axes.barh(y, percent, height=0.88 * height, color=colour(theme, index),
                          label=shortened(row["label"]) if place == 0 else None)  # fmt: skip
                axes.text(percent + 1, y, f"{counted['hits']}/{counted['n']}", va="center", fontsize=7, color=theme.ink)
        axes.set_yticks(range(len(names)), names)
        axes.set(xlim=(0, 112), xlabel="right, % (hits of n photographs)", ylim=(len(names) - 0.4, -0.6))
        axes.set_xticks(range(0, 101, 20))
        legend(figure, theme)

    return Chart(f"plots/{split}-reliability.png", "Right by category, the least reliable first"), table, draw


def calibration_chart(rows: Sequence[Row], split: str) -> tuple[Chart, Details, Draw] | None:
    """Share right against the quality that came with the grasp; None where no model gives one."""
    chosen = [row for row in in_order(rows, split) if row["calibration"]]
    if not chosen:
        return None

    lines = tuple((row["label"], *(bin_text(at) for at in row["calibration"])) for row in chosen)
    most = max(len(line) for line in lines)
    head = ("model", *(f"bin {number}" for number in range(1, most)))
    title = "Share right at a mean quality, in bins of equal counts"
    ends = [row["calibration"][at]["quality"] for row in chosen for at in (0, -1)]
    table = Table(title, head, tuple((*line, *[""] * (most - len(line))) for line in lines))

    def draw(figure: "Figure", theme: Theme) -> None:
        across = min(len(chosen), 2)
        down = -(-len(chosen) // across)
        figure.set_size_inches(WIDTH, 0.5 + (3.0 if across == 1 else 2.1) * down)
        panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).flat
        for index, (axes, row) in enumerate(zip(panels, chosen, strict=False)):
            ruled(axes, theme)
            axes.plot((0, 1), (0, 100), color=theme.ink, linewidth=0.8, linestyle=":")
            points = row["calibration"]
            # The mean of few objects can lie a hair outside its own interval.
            spans = [[max(at["percent"] - at["ci95"][0], 0) for at in points],
                     [max(at["ci95"][1] - at["percent"], 0) for at in points]]  # fmt: skip
            axes.errorbar([at["quality"] for at in points], [at["percent"] for at in points], yerr=spans, fmt="o-",
                          markersize=3.5, linewidth=1, elinewidth=0.8, color=colour(theme, index))  # fmt: skip
            # A network's quality is not held within 0 to 1.
            axes.set(xlim=(min(0, *ends), max(1, *ends)), ylim=(0, 103))
            axes.set_title(shortened(row["label"]), fontsize=8.5, color=theme.ink)
        for spare in list(panels)[len(chosen) :]:
            spare.set_visible(False)
        figure.supxlabel("quality given with the grasp", fontsize=9, color=theme.ink)
        figure.supylabel("right, %", fontsize=9, color=theme.ink)

    return Chart(f"plots/{split}-calibration.png", title), Details(title, table), draw


def bin_text(at: dict[str, Any]) -> str:
    """Share right of a bin, then its mean quality, interval and count."""
    low, high = at["ci95"]
    return f"{at['percent']:.1f}% at {at['quality']:.2f} ({low:.1f} to {high:.1f}, n = {at['n']})"


def charts(report: dict[str, Any], split: str) -> dict[str, tuple[Chart, Details, Draw]]:
    """The plots that a split has figures for, by kind."""
    makers = {"curve": curve_chart, "reliability": reliability_chart, "calibration": calibration_chart}
    made = {kind: maker(report["rows"], split) for kind, maker in makers.items()}
    return {kind: chart for kind, chart in made.items() if chart is not None}


def save_chart(folder: Path, chart: Chart, draw: Draw) -> None:
    """Write a plot in both themes, the same bytes for the same figures."""
    from matplotlib.figure import Figure

    for path, theme in ((chart.path, LIGHT), (chart.dark, DARK)):
        figure = Figure(layout="constrained", facecolor=theme.paper)
        draw(figure, theme)
        with replacing(folder / path) as temporary:
            figure.savefig(temporary, dpi=DPI, metadata={"Software": None})


def chart_blocks(made: tuple[Chart, Details, Draw]) -> list[Block]:
    return [made[0], made[1]]


def in_order(rows: Sequence[Row], split: str) -> list[Row]:
    """Rows of a split, the main one and GR-ConvNet first, so that they have the same colours in all plots."""
    first = [row for row in (main_row(rows, split), peer_row(rows, split)) if row]
    rest = [row for row in rows if row["split"] == split and all(row is not other for other in first)]
    unique = [row for i, row in enumerate(first) if all(row is not other for other in first[:i])]
    return [*unique, *rest]


def ruled(axes: "Axes", theme: Theme, *, axis: Literal["both", "x", "y"] = "both") -> None:
    """Faint rules and no box."""
    axes.set_facecolor(theme.paper)
    axes.grid(True, axis=axis, color=theme.grid, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=theme.ink, labelsize=8, length=0)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=theme.ink, fontsize=9)
    for side in axes.spines.values():
        side.set_visible(False)


def colour(theme: Theme, index: int) -> str:
    return theme.lines[index % len(theme.lines)]


def shortened(label: str) -> str:
    """A label that fits a legend: addresses and paths keep their end."""
    return label if len(label) <= LABEL else "…" + label[1 - LABEL :]


def legend(figure: "Figure", theme: Theme) -> None:
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8, labelcolor=theme.ink)
