"""`graspwise models`: what there is, where its weights come from, and what is missing."""

from pathlib import Path
from typing import Annotated

import typer

models_app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    help="What models there are; get NAME makes one ready, push puts one on the hub, tiny FAMILY writes a toy one.",
)


@models_app.callback()
def models(context: typer.Context) -> None:
    """List models: whether each is ready, where its weights come from, and how to get what is missing."""
    if context.invoked_subcommand is not None:
        return
    from graspwise.model.baselines import BASELINES
    from graspwise.model.weights import PACKAGES, cache_folder, published_cards, weight_file

    cache = cache_folder()
    missing = [package for package in PACKAGES if not weight_file(package, cache=cache).is_file()]
    state = "ready" if not missing else "not yet here; get it with `graspwise models get small`"
    for name, card in published_cards().items():
        print(f"{name}: {state}")
        print(f"  {card['answer']} answers, {card['proposals']} proposals in the prompt, recipe {card['recipe']}")
        print(f"  adapter, projector and dense head ship with graspwise; base {card['base']}")
    print(f"small-base: {state}")
    for package in PACKAGES:
        there = "in the cache" if package not in missing else "missing"
        print(f"  {package.holds}: Python package {package.name} {package.version}, {package.licence}, {there}")
    print(f"{', '.join(BASELINES)}: ready; baselines without weights")
    print("any LLaVA, Idefics3, SmolVLM, Qwen-VL or PaliGemma of transformers (docs/vlm.md): a checkpoint folder, or a")
    print("  hub id such as llava-hf/llava-1.5-7b-hf")
    print(f"cache: {cache}")


@models_app.command()
def get(name: Annotated[str, typer.Argument(help="small, small-base, or a hub id.")]) -> None:
    """Download, check and convert a model's weights, so that its first answer need not wait for that."""
    from graspwise.model.load import load_model

    load_model(name, say=print)
    print(f"{name}: ready")


@models_app.command()
def push(
    name: Annotated[str, typer.Argument(help="A run folder, a model folder or a published name.")],
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Where to, made if need be.")],
    revision: Annotated[str | None, typer.Option(help="Branch, made if need be; by default the main one.")] = None,
    private: Annotated[bool, typer.Option("--private", help="Make a new one for its owner alone.")] = False,
) -> None:
    """Put a model folder with its card on the Hugging Face hub."""
    from graspwise.model.hub import push_model

    print(push_model(name, repo, revision=revision, private=private))


@models_app.command()
def tiny(
    family: Annotated[
        str,
        typer.Argument(help="llava, llava-next, idefics3, smolvlm, qwen2.5-vl, qwen3-vl or paligemma."),
    ],
    out: Annotated[Path, typer.Option(help="Checkpoint folder; new.")],
) -> None:
    """Write a tiny random checkpoint of a family's real class, to try a set-up with in seconds."""
    from graspwise.vlm.registry import family_named
    from graspwise.vlm.tiny import write_tiny

    write_tiny(family_named(family), out)
    print(f"tiny random {family} in {out}")
