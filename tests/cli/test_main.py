"""The command line from outside: exit codes, one-line errors, and that help needs no deep-learning library."""

import subprocess
import sys
from pathlib import Path

import pytest

from graspwise.cli import app, main


def run(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the real entry point."""
    monkeypatch.setattr(sys, "argv", ["graspwise", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    captured = capsys.readouterr()
    return int(stopped.value.code or 0), captured.out, captured.err


VERBS = ["predict", "chat", "dataset", "dataset build", "dataset show", "train", "evaluate", "benchmark", "models",
         "templates", "robot", "robot pose", "sim", "sim render", "benchmark sim", "dataset build sim"]  # fmt: skip


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_of_every_verb(verb, capsys, monkeypatch):
    code, out, _ = run([*verb.split(), "--help"], capsys, monkeypatch)
    assert code == 0
    assert "Usage" in out


def test_help_and_metric_need_no_deep_learning_library():
    heavy = ["torch", "transformers", "peft", "matplotlib", "httpx", "cv2"]
    code = (
        "import sys; from graspwise.cli import app; import graspwise.metric; from typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["predict", "missing.jpg", "--model", "centre"], ["missing.jpg"]),
        (["predict", "x.jpg", "--ask", "   "], ["instruction is empty"]),
        (["predict", "x.jpg", "--ask", "a" * 10_000], ["10000", "2000"]),
        (["predict", "x.jpg", "--workspace", "1,2,3"], ["--workspace", "x0,y0,x1,y1"]),
        (["predict", "x.jpg", "y.jpg", "--out", "one.png"], ["--out", "folder"]),
        (["predict", "x.jpg", "--model", "smol"], ["smol", "small-base"]),
        (["predict"], ["PICTURE"]),
        (["predict", "x.jpg", "--wat"], ["--wat"]),
        (["frobnicate"], ["frobnicate"]),
        (["evaluate", "--model", "centre", "--data", "nowhere"], ["nowhere", "dataset.json"]),
        (["train", "--data", "nowhere", "--out", "run"], ["nowhere"]),
        (["train", "--data", "d", "--out", "r", "--recipe", "huge"], ["huge", "small, paper", "tiny"]),
        (["dataset", "build", "cornell", "nowhere", "--out", "d"], ["nowhere"]),
        (["dataset", "build", "cornell", ".", "--out", "d", "--answer", "rhymed"], ["rhymed", "reasoned"]),
        (["benchmark", "cornell", "--data", ".", "--out", "r", "--answers", "sung"], ["sung", "reasoned"]),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, names, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(arguments, capsys, monkeypatch)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert all(name in err for name in names), err
    assert not Path("run").exists()


def test_every_verb_has_a_docstring():
    assert all(command.callback.__doc__ for command in app.registered_commands)
