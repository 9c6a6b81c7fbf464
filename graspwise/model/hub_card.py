"""The card of a model folder in the hub's format: `README.md`, how to load it, then what is known of it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml

from graspwise.model.hub_names import hub_name
from graspwise.model.weights import BASE_NAME

# What a folder without a network's name holds.
GRASP_MODEL = "vision-language model that reasons and grasps"


def model_card(card: Mapping[str, Any], *, name: str, measured: Mapping[str, Any] | None = None) -> str:
    """Text of `README.md`.

    Args:
        card: What `graspwise.json` says.
        name: What the model is loaded by.
        measured: `report.json` that `graspwise evaluate` wrote of it, where there is one.
    """
    base = hub_name(str(card.get("base", "")))
    head: dict[str, Any] = {"library_name": "graspwise", "tags": ["graspwise", "robotics", "grasping"]}
    if "network" not in card:
        head |= {"pipeline_tag": "image-text-to-text", "language": "en"}
    if base is not None:
        head |= {"base_model": base.repo, "base_model_relation": "adapter"}
    if card.get("base") == BASE_NAME:
        # Both parts of that base are, and so is what is made of it.
        head |= {"license": "apache-2.0"}
    lines = ["---", yaml.safe_dump(head, sort_keys=False).strip(), "---", "", f"# {name.rpartition('/')[2]}", ""]
    lines += [f"A {card.get('network', GRASP_MODEL)} trained with [Graspwise](https://pypi.org/project/graspwise).", ""]
    if card.get("network") in (None, "grconvnet"):
        lines += ["```python", "import graspwise", "", f'model = graspwise.load("{name}")']
        lines += ['answer = model.look("photo.jpg").ask("Pick up the mug")', "```", ""]
    lines += ["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in facts(card).items()), ""]
    if measured is not None:
        lines += [*measured_lines(measured), ""]
    return "\n".join(lines)


def facts(card: Mapping[str, Any]) -> dict[str, str]:
    """What a card says, in words; what it does not say is left out."""
    told = {
        "base": card.get("base"),
        "base's sha256": str(card.get("base_sha256", ""))[:12],
        "answers": card.get("answer"),
        "places": card.get("coordinates"),
        "stages": ", ".join(card.get("stages", ())),
        "recipe": card.get("recipe"),
        "trained on": trained_on(card.get("trained_on", ())),
    }
    return {key: str(value) for key, value in told.items() if value}


def trained_on(objects: Any) -> str:
    """How many objects of which data set."""
    counts = Counter(str(name).partition(":")[0] for name in objects)
    return ", ".join(f"{count} objects of {source}" for source, count in sorted(counts.items()))


def measured_lines(report: Mapping[str, Any]) -> list[str]:
    """What `graspwise evaluate` measured, with its conditions."""
    summary = report["summary"]
    accuracy = summary["accuracy"]
    low, high = accuracy["ci95"]
    shown, seen = f"{accuracy['percent']}% ({low} to {high})", summary["seen_objects"]
    warning = f" It was trained on {seen} of them, so this is no measure of how it does on new ones." if seen else ""
    return [
        "## Measured", "",
        f"{shown} right on {summary['n']} photographs of {summary['objects']} objects; {report['protocol']}; "
        f"{report['date']}.{warning}",
    ]  # fmt: skip
