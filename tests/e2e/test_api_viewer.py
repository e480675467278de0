"""The page that shows the description of our API: without a network, by keyboard, in the dark."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from conftest import missing
from support import browser
from support.browser import Browser
from support.hokusai import Hokusai

PAGES = ("/docs", "/redoc")


@pytest.fixture(scope="module")
def standalone(serve_module: Callable[..., Hokusai]) -> Hokusai:
    return serve_module().wait_ready()


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Browser]:
    if not browser.executable():
        missing("chromium", "apt-get install chromium")
    with Browser(tmp_path) as one:
        yield one


class Page(HTMLParser):
    """What a page refers to, and the text of its scripts and styles."""

    def __init__(self, text: str):
        super().__init__()
        self.references: list[str] = []
        self.blocks: dict[str, list[str]] = {"script": [], "style": []}
        self.handlers: list[str] = []
        self.open: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        self.open = tag if tag in self.blocks else self.open
        if tag in self.blocks:
            self.blocks[tag].append("")

    def handle_data(self, data: str) -> None:
        if self.open:
            self.blocks[self.open][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self.open = None if tag == self.open else self.open


@pytest.mark.parametrize("path", PAGES)
def test_viewer_needs_nothing_from_elsewhere(standalone: Hokusai, path: str) -> None:
    answer = standalone.get(path)
    page = Page(answer.text)

    assert answer.headers["Content-Type"].startswith("text/html")
    assert [each for each in page.references if not each.startswith("#") and each != "openapi.json"] == []
    assert not re.search(r"https?://|//\w+\.\w+/|@import|url\(", answer.text)


def test_viewer_runs_under_a_policy_that_names_its_own_script(standalone: Hokusai) -> None:
    answer = standalone.get("/docs")
    page = Page(answer.text)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))

    for kind, (block,) in page.blocks.items():
        digest = base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()
        assert policy[f"{kind}-src"] == f"'sha256-{digest}'"
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert page.handlers == []
    # Nothing that would make markup of text, or keep a key.
    assert not re.search(
        r"innerHTML|insertAdjacentHTML|document\.write|eval\(|Storage|cookie", page.blocks["script"][0]
    )


def open_page(chromium: Browser, service: Hokusai, operation: str = "") -> None:
    chromium.open(f"{service.url}/docs#{operation}")
    chromium.wait("document.querySelectorAll('.operation').length > 0")


def answer_of(chromium: Browser, operation: str) -> str:
    return chromium.wait(
        f"document.querySelector('#{operation} output p.good, #{operation} output p.bad')?.textContent"
    )


def test_viewer_shows_every_operation_and_asks_nobody_else(standalone: Hokusai, chromium: Browser) -> None:
    document = standalone.get("/openapi.json").json()
    described = [
        op["operationId"] for path in document["paths"].values() for op in path.values() if "operationId" in op
    ]

    open_page(chromium, standalone)
    shown = chromium.run("[...document.querySelectorAll('.operation')].map((each) => each.id)")
    # Opened, each shows its parameters, body, schemas and answers.
    chromium.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    chromium.wait("[...document.querySelectorAll('.operation')].every((each) => each.childElementCount === 2)")

    assert sorted(shown) == sorted(described)
    assert chromium.complaints == []
    assert [url for url in chromium.requests if not url.startswith(standalone.url)] == []


def test_viewer_tries_a_call_with_a_key_by_keyboard_alone(standalone: Hokusai, chromium: Browser) -> None:
    key = standalone.create_key("mlflow:read")
    open_page(chromium, standalone, "getAliasHistory")

    chromium.run("document.getElementById('getAliasHistory-0').focus()")
    chromium.type("a <b>model</b>")
    chromium.press("Enter", "\r")
    assert answer_of(chromium, "getAliasHistory").startswith("401")

    chromium.run("document.getElementById('key').focus()")
    chromium.type(key.secret)
    chromium.run("document.querySelector('#getAliasHistory output').replaceChildren()")
    chromium.run("document.querySelector('#getAliasHistory button').focus()")
    chromium.press("Enter", "\r")

    assert answer_of(chromium, "getAliasHistory").startswith("200")
    body = chromium.run("document.querySelector('#getAliasHistory output pre:last-child').textContent")
    assert json.loads(body)["name"] == "a <b>model</b>"
    assert [url for url in chromium.requests if key.secret in url] == []
    assert chromium.run("localStorage.length + sessionStorage.length + document.cookie.length") == 0


def test_viewer_opens_what_the_keyboard_reaches(standalone: Hokusai, chromium: Browser) -> None:
    open_page(chromium, standalone)

    chromium.run("document.querySelector('#health summary').focus()")
    chromium.press("Enter", "\r")

    assert chromium.wait("document.getElementById('health').open")
    assert chromium.wait("location.hash") == "#health"


def test_viewer_finds_operations_by_words(standalone: Hokusai, chromium: Browser) -> None:
    open_page(chromium, standalone)

    chromium.run("document.getElementById('filter').focus()")
    chromium.type("post reset")

    shown = "[...document.querySelectorAll('.operation:not([hidden])')].map((each) => each.id)"
    assert chromium.run(shown) == ["resetBreaker"]


def luminance(color: str) -> float:
    red, green, blue = (int(part) for part in re.findall(r"\d+", color)[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_viewer_can_be_read_in_light_and_dark(standalone: Hokusai, chromium: Browser, scheme: str) -> None:
    chromium.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    open_page(chromium, standalone)

    text = luminance(chromium.run("getComputedStyle(document.body).color"))
    link = luminance(chromium.run("getComputedStyle(document.querySelector('nav a')).color"))

    assert (text > 0.8, link > 0.5) == ((True, True) if scheme == "dark" else (False, False))
