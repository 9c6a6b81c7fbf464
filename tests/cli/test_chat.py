"""`graspwise chat`: a conversation from a script and from a terminal, its pictures, and its transcript asked again."""

import io
import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from graspwise.draw import BEFORE, JAW
from graspwise.files import read_json
from graspwise.grasp import Grasp
from graspwise.model.responder import Response


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "bar.png"
    image = Image.new("RGB", (400, 300), (225, 222, 215))
    ImageDraw.Draw(image).rectangle((180, 80, 220, 220), fill=(40, 60, 120))
    image.save(path)
    return path


@pytest.fixture
def chat(run, monkeypatch: pytest.MonkeyPatch):
    """As `run`, with lines on standard input."""

    def command(lines: str, *arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
        return run("chat", *arguments)

    return command


class Moves:
    """A responder that goes right turn by turn, and refuses the knife."""

    name, image_size, answer_format, mode, takes_depth = "moves", 64, "bare", "plain", False

    def respond(self, pictures, conversations):
        if "knife" in str(conversations[0][-1]):
            return [Response("No knife here.", "No knife here.", None, refused=True)]
        return [Response("as written", "", Grasp(x=min(0.2 * len(conversations[0]), 1), y=0.5, theta=0.3, opening=0.2))]


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graspwise.model.registry.open_responder", lambda name, **kwargs: Moves())


def middle(path: Path, colour: tuple[int, int, int]) -> tuple[float, float] | None:
    """Mean x, y of a drawing's pixels of about that colour; None where there is none."""
    off = np.abs(np.asarray(Image.open(path).convert("RGB")).astype(int) - colour).max(axis=2)
    found = np.argwhere(off < 12)
    return None if len(found) == 0 else tuple(found.mean(axis=0)[::-1])


def test_a_script_talks_and_each_turn_is_drawn(moves, chat, photo):
    code, out, err = chat("Pick it up\n\n  further right  \n", photo)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "> Pick it up", "[0.200, 0.500], +0.30", "drawn in bar-chat/1.png", "> ",
        "> further right", "[0.600, 0.500], +0.30", "drawn in bar-chat/2.png",
    ]  # fmt: skip
    first, second = Path("bar-chat/1.png"), Path("bar-chat/2.png")
    # Drawings are enlarged to at least 480 pixels: twice.
    assert middle(first, BEFORE) is None
    size = Image.open(first).width
    assert middle(second, BEFORE)[0] == pytest.approx(0.2 * size, abs=6)
    assert middle(second, JAW)[0] == pytest.approx(0.6 * size, abs=6)


def test_taking_back_and_refusing(moves, chat, photo):
    lines = "Pick it up\nthe knife\n/undo\n/undo\n/undo\nPick it up\n/picture\n/quit\nnever asked\n"
    code, out, err = chat(lines, photo, "--out", "drawn")
    assert code == 2
    assert err == "graspwise: nothing has been asked yet; there is no turn to take back\n"
    said = [line for line in out.splitlines() if not line.startswith(">")]
    assert said == [
        "[0.200, 0.500], +0.30", "drawn in drawn/1.png",
        "No knife here.", "No grasp: nothing in view serves this.", "drawn in drawn/2.png",
        "taken back: the knife", "drawn in drawn/1.png", "taken back: Pick it up",
        "[0.200, 0.500], +0.30", "drawn in drawn/1.png", "drawn in drawn/1.png",
    ]  # fmt: skip
    # The refusal's drawing keeps the grasp, in its own colour.
    assert middle(Path("drawn/2.png"), JAW) is not None and middle(Path("drawn/2.png"), BEFORE) is None


def test_a_transcript_is_answered_as_it_was_by_the_same_model_alone(chat, photo):
    code, first, _ = chat("Pick it up\nfurther left\n/save kept/t.json\n/save kept/t.json\n", photo, "--model", "blob",
                          "--workspace", "50,50,350,250")  # fmt: skip
    assert code == 0 and first.count("kept in kept/t.json") == 2
    assert [turn["asked"] for turn in read_json(Path("kept/t.json"))["turns"]] == ["Pick it up", "further left"]
    code, out, err = chat("", "--replay", "kept/t.json")
    assert (code, err) == (0, "")
    assert out.splitlines()[:3] == first.splitlines()[:3]
    assert out.endswith("turns 1 to 2 are answered as they were\n")
    code, out, _ = chat("", "--replay", "kept/t.json", "--model", "centre")
    assert code == 1
    assert "turn 1 is answered differently; the answer was:\n[0." in out
    assert "the model was blob, and is centre" in out
    photo.rename("moved.png")
    assert chat("", "--replay", "kept/t.json")[0] == 2
    assert chat("", "moved.png", "--replay", "kept/t.json")[0] == 0


def test_only_a_transcript_is_written_over(moves, chat, photo):
    content = photo.read_bytes()
    Path("list.json").write_text("[1]")
    code, out, err = chat(f"a\n/save {photo}\n/save list.json\n/save bar.png/t.json\n/save\n", photo)
    assert code == 2 and "kept in" not in out
    wanted = ["bar.png: not valid JSON", "list.json: format: found None", "bar.png/t.json: cannot be written",
              "/save: no such command; valid are /undo, /picture, /save FILE, /help and /quit"]  # fmt: skip
    assert all(part in line for part, line in zip(wanted, err.splitlines(), strict=True)), err
    assert (photo.read_bytes(), Path("list.json").read_text()) == (content, "[1]")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/redo", "/redo: no such command; valid are /undo,"),
        ("/undo twice", "/undo twice: no such command"),
        ("/", "/: no such command"),
        ("/picture", "nothing has been asked yet; there is no grasp to show"),
        ("/save t.json", "nothing has been asked yet; there is no conversation to keep"),
        ("a" * 2001, "the instruction has 2001 characters; valid is 1 to 2000"),
    ],
)
def test_a_line_that_cannot_be_done_is_said_and_the_rest_go_on(line, says, moves, chat, photo):
    code, out, err = chat(f"{line}\nPick it up\n", photo)
    assert code == 2 and says in err and err.count("\n") == 1
    assert "drawn in bar-chat/1.png" in out


def test_help_says_every_command(moves, chat, photo):
    code, out, _ = chat("/help\n", photo)
    assert code == 0
    assert all(f"\n{command} " in out for command in ("/undo", "/picture", "/save FILE", "/help", "/quit"))


def test_the_limit_of_turns(moves, chat, photo):
    code, out, err = chat("a\n" * 9, photo)
    assert code == 2 and "has 8 turns; valid is at most 8" in err
    assert out.count("drawn in") == 8


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "PHOTO: found none; valid is a photograph, or --replay TRANSCRIPT"),
        (["none.jpg", "--model", "blob"], "none.jpg: no such file"),
        (["bar.png", "--model", "blob", "--workspace", "0,0,9"], "--workspace is '0,0,9'"),
        (["bar.png", "--model", "blob", "--workspace", "0,0,900,9"], "workspace 0,0,900,9 does not fit"),
        (["bar.png", "--model", "blob", "--out", "bar.png"], "--out is the file bar.png; valid is a folder"),
        (["bar.png", "--model", "blobb"], "blobb"),
        (["--replay", "none.json"], "none.json: no such file"),
        (["--replay", "bar.png"], "bar.png: not valid JSON"),
        (["--replay", "t.json", "--workspace", "0,0,9,9"], "--workspace: found beside --replay"),
    ],
)
def test_bad_arguments_are_one_line(arguments, says, chat, photo):
    code, out, err = chat("a\n", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err


def test_a_script_that_is_no_text(moves, run, photo, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\n\xff\xfe\n"), encoding="utf-8"))
    code, _, err = run("chat", photo)
    assert code == 2 and "standard input: not text" in err


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is needed")
@pytest.mark.parametrize(
    ("colours", "size", "blocks"),
    [("truecolor", (40, 100), True), ("", (40, 100), False), ("truecolor", (0, 0), False)],
)
def test_a_terminal_is_shown_the_picture_where_it_can(colours, size, blocks, photo):
    """Half blocks where there are colours enough, since this terminal tells of nothing better; else a file."""
    import fcntl
    import pty
    import termios

    begin = f"import os, sys; os.chdir({str(photo.parent)!r}); sys.argv[1:] = ['chat', 'bar.png', '--model', 'blob']"
    code = f"{begin}\nfrom graspwise.cli import main; main()"
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm", COLORTERM=colours)
        os.execv(sys.executable, [sys.executable, "-c", code])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    shown = b""
    try:
        for line in (b"Pick it up\n", b"/undo\n", b"/quit\n"):
            before = len(shown)
            while b"> " not in shown[before:]:
                shown += os.read(terminal, 65536)
            os.write(terminal, line)
        while chunk := os.read(terminal, 65536):
            shown += chunk
    except OSError:
        # A terminal whose other side is gone is read to an error.
        pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown.decode()
    assert "taken back: Pick it up" in shown.decode()
    assert ("▀".encode() in shown) == blocks
    assert (photo.parent / "bar-chat" / "1.png").exists() != blocks
