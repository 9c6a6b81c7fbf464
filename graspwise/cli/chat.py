"""`graspwise chat`: talk about one photograph until the grasp is right."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graspwise.cli.predict import in_words, parse_workspace
from graspwise.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image
    from rich.console import Console

    from graspwise.dialogue import Dialogue, Transcript

HELP = """\
Say what to pick up, then what to change: "further left", "by the handle", "turn it a quarter".
/undo       take the last turn back
/picture    show the picture again
/save FILE  keep the conversation; `graspwise chat --replay FILE` asks it again
/help       these lines
/quit       end"""
# Half blocks in the sixteen colours of the oldest terminals show nothing of a photograph.
ENOUGH_COLOURS = ("256", "truecolor")


def chat(
    photo: Annotated[
        Path | None, typer.Argument(metavar="PHOTO", help="A photograph of any size; with --replay where it lies now.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="As for `predict`: by default small, with --replay the transcript's.")
    ] = "",
    workspace: Annotated[str, typer.Option(metavar="X0,Y0,X1,Y1", help="Half-open box in pixels to look at.")] = "",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to draw each turn in; by default PHOTO-chat where the terminal shows no pictures."),
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Transcript to ask again; exit code 1 where an answer differs.")
    ] = None,
) -> int:
    """Ask for a grasp, look at it, and answer back."""
    import graspwise
    from graspwise.dialogue import Dialogue, read_transcript

    box = parse_workspace(workspace)
    if out is not None and out.exists() and not out.is_dir():
        raise InputError(f"--out is the file {out}; valid is a folder")
    if replay is None and photo is None:
        raise InputError("PHOTO: found none; valid is a photograph, or --replay TRANSCRIPT")
    if replay is not None and box is not None:
        raise InputError("--workspace: found beside --replay; a transcript has its own")
    transcript = None if replay is None else read_transcript(replay)
    name = model or ("small" if transcript is None else transcript.model)
    loaded = graspwise.load(name, say=lambda line: print(line, file=sys.stderr))
    if loaded.takes_depth:
        raise InputError(f"model {name}: takes depth and reads no words; valid is one that answers")
    if transcript is not None:
        return ask_again(open_talk(transcript.begin(loaded, picture=photo), out), transcript)
    assert photo is not None
    talk = open_talk(Dialogue(loaded.look(photo, workspace=box)), out)
    return talk.run(lines_of(talk))


@dataclass
class Talk:
    """A dialogue on the command line.

    Attributes:
        dialogue: The turns.
        console: The terminal.
        attended: Whether someone sits at it; else the lines that are read are printed too.
        show: Shows a drawing in the terminal; None where it shows none.
        out: Folder to draw the turns in, as `1.png` and so on; None for none.
    """

    dialogue: "Dialogue"
    console: "Console"
    attended: bool
    show: "Callable[[Image], None] | None"
    out: Path | None

    def run(self, lines: Iterable[str]) -> int:
        """Take lines until they end or one says so; exit code 2 where one of a script failed."""
        failed = False
        if self.attended:
            print(HELP)
        for line in lines:
            if not self.attended:
                print(f"> {line.strip()}", flush=True)
            try:
                if not self.take(line):
                    break
            except InputError as error:
                failed = True
                print(f"graspwise: {error}", file=sys.stderr, flush=True)
        return 2 if failed and not self.attended else 0

    def take(self, line: str) -> bool:
        """Do what a line says; False where that is to end.

        Raises:
            InputError: it cannot be done.
        """
        match line.split(maxsplit=1):
            case []:
                pass
            case ["/quit"]:
                return False
            case ["/undo"]:
                self.undo()
            case ["/picture"]:
                self.picture()
            case ["/save", name]:
                self.save(Path(name.strip()).expanduser())
            case ["/help"]:
                print(HELP)
            case [word, *_] if word.startswith("/"):
                raise InputError(
                    f"{line.strip()}: no such command; valid are /undo, /picture, /save FILE, /help and /quit"
                )
            case _:
                self.ask(line)
        return True

    def ask(self, text: str) -> None:
        with self.console.status("looking") if self.attended else nullcontext():
            answer = self.dialogue.ask(text)
        print(in_words(answer))
        if answer.grasp is None and not answer.refused:
            print("graspwise: the answer holds no valid grasp", file=sys.stderr)
        self.picture()

    def undo(self) -> None:
        print(f"taken back: {self.dialogue.undo().asked}")
        if self.dialogue.turns:
            self.picture()

    def picture(self) -> None:
        """Show the grasp, and in pink the one whose place it took."""
        from graspwise.draw import draw_answer
        from graspwise.files import replacing

        turns, picture = self.dialogue.turns, self.dialogue.view.picture
        if not turns:
            raise InputError("nothing has been asked yet; there is no grasp to show")
        grasp, before = self.dialogue.grasp, self.dialogue.before
        if self.show is not None:
            # The words stand beside it already, and would be too small to read in it.
            self.show(draw_answer(picture, grasp=grasp, before=before))
        if self.out is not None:
            title, caption = turns[-1].asked, in_words(turns[-1].answer)
            drawn = draw_answer(picture, grasp=grasp, before=before, title=title, caption=caption)
            path = self.out / f"{len(turns)}.png"
            with writing(path), replacing(path) as temporary:
                drawn.save(temporary)
            print(f"drawn in {path}")

    def save(self, path: Path) -> None:
        from graspwise.dialogue import read_transcript
        from graspwise.files import write_json

        value = self.dialogue.to_json()
        if path.exists():
            # Nothing but an earlier transcript is written over.
            read_transcript(path)
        with writing(path):
            write_json(path, value)
        print(f"kept in {path}")


def open_talk(dialogue: "Dialogue", out: Path | None) -> Talk:
    """A dialogue with what this terminal can do."""
    from rich.console import Console

    console = Console()
    attended = sys.stdin.isatty() and sys.stdout.isatty()
    show = graphics(console) if attended else None
    path = dialogue.view.picture.path
    if out is None and show is None and path is not None:
        out = Path(f"{path.stem}-chat")
    return Talk(dialogue, console, attended, show, out)


def graphics(console: "Console") -> "Callable[[Image], None] | None":
    """What shows a picture in a terminal; None where that shows none."""
    import logging

    # Asks the terminal what it can do, and so is imported for nothing else; one that does not answer is no news.
    logging.getLogger("textual_image").setLevel(logging.ERROR)
    from textual_image.renderable import HalfcellImage
    from textual_image.renderable import Image as Shown

    # The library divides by the size, which some do not tell.
    if 0 in os.get_terminal_size() or (Shown is HalfcellImage and console.color_system not in ENOUGH_COLOURS):
        return None
    return lambda drawn: console.print(Shown(drawn, width="auto", height="auto"), height=2 * console.height // 3)


def lines_of(talk: Talk) -> Iterator[str]:
    """Lines that are typed, or those of a script on standard input.

    Raises:
        InputError: the script is no text.
    """
    if not talk.attended:
        try:
            yield from sys.stdin
        except UnicodeDecodeError as error:
            raise InputError(f"standard input: not text ({error}); valid is UTF-8") from error
        return
    while True:
        try:
            yield talk.console.input("[bold]> [/]")
        except EOFError:
            print()
            return


def ask_again(talk: Talk, transcript: "Transcript") -> int:
    """Ask a transcript's turns again; exit code 1 where an answer differs."""
    import graspwise
    from graspwise.dialogue import model_sha256

    for turn in transcript.turns:
        print(f"> {turn.asked}", flush=True)
        talk.ask(turn.asked)
    number = transcript.first_difference(talk.dialogue)
    if number is None:
        print(f"turns 1 to {len(transcript.turns)} are answered as they were")
        return 0
    print(f"turn {number} is answered differently; the answer was:\n{transcript.turns[number - 1].answer['text']}")
    name = talk.dialogue.view.responder.name
    if name != transcript.model:
        print(f"the model was {transcript.model}, and is {name}")
    elif model_sha256(name) != transcript.model_sha256:
        print(f"the model {name} has other weights now")
    if graspwise.__version__ != transcript.graspwise:
        print(f"graspwise was {transcript.graspwise}, and is {graspwise.__version__}")
    return 1


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around what writes a file.

    Raises:
        InputError: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); give another place") from error
