"""Take `pictures/page.png`, the web page after two turns with `small`: `python docs/page_picture.py [MODEL]`.

Needs the Python package playwright and a Chromium on the path.
"""

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import expect, sync_playwright

import graspwise
from graspwise.server.app import create_app
from graspwise.server.limits import Limits

HERE = Path(__file__).resolve().parent / "pictures"
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
EXAMPLE, TURNS = "desk", ("Pick up the pencil", "The other end")
MILLISECONDS = 300_000


def main() -> None:
    out = HERE / "page.png"
    with served(sys.argv[1] if len(sys.argv) > 1 else "small") as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=SWITCHES)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        page.goto(url)
        page.get_by_role("button", name=EXAMPLE).click()
        for count, words in enumerate(TURNS, start=1):
            page.get_by_role("button", name=words).click()
            expect(page.locator(".answer:not(.writing)")).to_have_count(count, timeout=MILLISECONDS)
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
        page.screenshot(path=out)
        browser.close()
    fewer_colours(out)


@contextmanager
def served(model: str) -> Iterator[str]:
    """A live server on a free port; its address."""
    app = create_app(graspwise.load(model), limits=Limits(seconds=MILLISECONDS / 1000), examples=EXAMPLES)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.1)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()


def fewer_colours(path: Path) -> None:
    """A photograph in a PNG is large; 256 colours keep the repository small."""
    image = Image.open(path).convert("RGB")
    palette = image.quantize(256, method=Image.Quantize.MAXCOVERAGE)
    image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


if __name__ == "__main__":
    main()
