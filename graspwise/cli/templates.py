"""`graspwise templates write`: new reasoning templates of a category from a language model."""

import os
from pathlib import Path
from typing import Annotated

import typer

from graspwise.errors import InputError

templates_app = typer.Typer(help="Reasoning templates.", no_args_is_help=True)


@templates_app.callback()
def templates() -> None:
    """Reasoning templates: what the object is, its shape, and where and how to grasp it."""


@templates_app.command("write")
def write(
    category: Annotated[str, typer.Argument(help="Grasp category, for example mug.")],
    endpoint: Annotated[
        str | None,
        typer.Option(
            envvar="OPENAI_BASE_URL",
            metavar="URL",
            help="OpenAI-compatible base URL, e.g. http://localhost:8000/v1.",
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="The model's name at the endpoint.")] = None,
    count: Annotated[int, typer.Option(help="How many new texts, 1 to 50.")] = 5,
    out: Annotated[
        Path | None, typer.Option(help="YAML file to add the texts to; without it they are printed.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Longest silence of the endpoint, seconds.")] = 120.0,
) -> None:
    """Draft, refine and check new reasoning texts; an API key, if needed, is read from OPENAI_API_KEY."""
    from graspwise.chat import Endpoint
    from graspwise.data.templates import add_reasoning, load_reasoning, reasoning_yaml
    from graspwise.data.writer import check_category, write_templates

    if not endpoint:
        raise InputError("no endpoint; give --endpoint URL or set OPENAI_BASE_URL, e.g. http://localhost:8000/v1")
    if not model:
        raise InputError("no model; give --model NAME, a model that the endpoint offers")
    name = check_category(category)
    # Read before anything is asked for, so that a bad file costs no tokens.
    own = load_reasoning(out).get(name, ()) if out is not None and out.exists() else ()
    result = write_templates(
        name,
        count=count,
        endpoint=Endpoint(endpoint, model, os.environ.get("OPENAI_API_KEY", "").strip() or None, timeout),
        existing=(*own, *load_reasoning().get(name, ())),
    )
    for item in result.rejected:
        typer.echo(f"rejected: {item.text!r} ({item.reason})", err=True)
    if not result.accepted:
        raise InputError(f"{name}: none of the model's {len(result.rejected)} texts passed; try another --model")
    if out is None:
        typer.echo(reasoning_yaml({name: result.accepted}), nl=False)
    else:
        add_reasoning(out, category=name, texts=result.accepted)
        typer.echo(f"{out}: {name}: {len(result.accepted)} new texts", err=True)
    if len(result.accepted) < count:
        typer.echo(f"only {len(result.accepted)} of {count} texts passed the checks", err=True)
