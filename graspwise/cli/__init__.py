"""The command line: one typed function a verb. Heavy libraries are imported inside the verbs that need them."""

import sys
import warnings
from typing import Any

import typer

from graspwise.cli.benchmark import benchmark_app
from graspwise.cli.chat import chat
from graspwise.cli.dataset import dataset_app
from graspwise.cli.evaluate import evaluate
from graspwise.cli.export import export
from graspwise.cli.hand import hand_app
from graspwise.cli.models import models_app
from graspwise.cli.predict import predict
from graspwise.cli.robot import robot_app
from graspwise.cli.serve import serve
from graspwise.cli.sim import sim_app
from graspwise.cli.templates import templates_app
from graspwise.cli.train import train
from graspwise.errors import InputError

# Typer may carry a click of its own; its usage errors are the base classes of the one it exports.
USAGE_ERROR: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")

app = typer.Typer(
    name="graspwise",
    help="Say what you want, get a grasp and the reason for it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(predict)
app.command()(chat)
app.command()(serve)
app.add_typer(dataset_app, name="dataset")
app.command()(train)
app.command()(evaluate)
app.command()(export)
app.add_typer(benchmark_app, name="benchmark")
app.add_typer(sim_app, name="sim")
app.add_typer(robot_app, name="robot")
app.add_typer(hand_app, name="hand")
app.add_typer(models_app, name="models")
app.add_typer(templates_app, name="templates")


def main() -> None:
    """Entry point: bad input is one line on stderr and exit code 2."""
    # Harmless remarks of the picture library about odd metadata must not stand beside our one line.
    warnings.filterwarnings("ignore", module="PIL")
    # Nor libraries' notes to each other's authors.
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    try:
        code = app(standalone_mode=False)
    except InputError as error:
        fail(str(error))
    except USAGE_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message())
            sys.exit(2)
        fail(" ".join(error.format_message().split()))
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def fail(message: str) -> None:
    print(f"graspwise: {message}", file=sys.stderr)
    sys.exit(2)
