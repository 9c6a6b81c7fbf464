"""The report of the wishes' benchmark: `report.json`, and `report.md`, `report.html`, plot and pictures from it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from graspwise.data.wishes import KINDS
from graspwise.evaluation.charts import STYLES, WIDTH, Draw, Theme, colour, legend, ruled, save_chart, shortened
from graspwise.evaluation.document import Block, Chart, Code, Details, Heading, Text, markdown, with_interval
from graspwise.evaluation.page import page
from graspwise.evaluation.wish_benchmark import WishBenchmark
from graspwise.evaluation.wish_figures import wishes_figures
from graspwise.evaluation.wish_gallery import draw_gallery, gallery_of
from graspwise.evaluation.wish_tables import (
    NOT_THEIRS,
    asked_table,
    recall_tables,
    refusal_table,
    robustness_table,
    target_table,
    things_table,
    trials_table,
)
from graspwise.files import write_json, write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def wishes_report(folder: Path | str, done: WishBenchmark, *, command: str) -> dict[str, Any]:
    """Write the report of what was asked.

    Args:
        folder: Report folder.
        done: Questions and answers.
        command: The command that made it.
    """
    target = Path(folder)
    report = wishes_figures(done, command=command)
    write_json(target / "report.json", report)
    chart, draw = things_chart(report)
    save_chart(target, chart, draw)
    draw_gallery(report, target, done.scenes)
    blocks = wishes_blocks(report, chart)
    write_text(target / "report.md", "\n".join(markdown(blocks)) + "\n")
    write_text(target / "report.html", page(blocks))
    return report


def wishes_lines(report: dict[str, Any]) -> list[str]:
    """The report in Markdown."""
    return markdown(wishes_blocks(report, things_chart(report)[0]))


def wishes_blocks(report: dict[str, Any], chart: Chart) -> list[Block]:
    """The report."""
    blocks: list[Block] = [
        Heading("Wishes: the right thing in clutter", 1), Text(NOT_THEIRS),
        Text(f"Protocol: {report['protocol']}; seed {report['config']['seed']}; {report['date']}."),
        *lead(report), *recall_tables(report), *target_table(report), *refusal_table(report),
        Heading("Things in view", 2), chart, things_table(report), *trials_table(report), *robustness_table(report),
    ]  # fmt: skip
    gallery = gallery_of(report)
    blocks += [gallery] if gallery else []
    lines = [f"{key}: {value}" for key, value in report["config"].items()]
    return [
        *blocks, Heading("How it was made", 2), Code(report["command"]),
        Text(f"{report['date']}; seed {report['config']['seed']}."), Code("\n".join(lines)),
        Details("Wishes asked, by kind and set", asked_table(report["asked"])),
    ]  # fmt: skip


def lead(report: dict[str, Any]) -> list[Block]:
    """The reference's R@1 by kind in a sentence."""
    name = report["reference"]
    if name is None:
        return []
    kinds = report["models"][name]["kinds"]
    found = [f"{kind} {with_interval(kinds[kind]['seen']['r1'])}" for kind in KINDS if kinds[kind]["seen"]["n"]]
    return [Text(f"**{name}**, R@1 with seen objects: {'; '.join(found)}.")] if found else []


def things_chart(report: dict[str, Any]) -> tuple[Chart, Draw]:
    """How accuracy and time grow with clutter."""
    rows = report["models"]

    def draw(figure: "Figure", theme: Theme) -> None:
        figure.set_size_inches(WIDTH, 5.2)
        above, below = figure.subplots(2, 1, sharex=True)
        for axes in (above, below):
            ruled(axes, theme)
        for index, (name, row) in enumerate(rows.items()):
            points = {int(count): at for count, at in row["by_things"].items()}
            right = {count: at["percent"] for count, at in points.items() if at["percent"] is not None}
            style = {"color": colour(theme, index), "linewidth": 1.4, "marker": "o", "markersize": 3}
            above.plot(list(right), list(right.values()), STYLES[index % len(STYLES)], label=shortened(name), **style)
            times = [at["seconds_median"] for at in points.values()]
            below.plot(list(points), times, STYLES[index % len(STYLES)], **style)
        above.set(ylabel="R@1, %", ylim=(0, 103))
        below.set(xlabel="things in view", ylabel="s an answer")
        below.set_ylim(bottom=0)
        below.xaxis.get_major_locator().set_params(integer=True)
        if rows:
            legend(figure, theme)

    return Chart("plots/things.png", "R@1 and time by the count of things in view"), draw
