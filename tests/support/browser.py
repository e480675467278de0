"""A headless Chromium, steered through its DevTools protocol."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp

from support.process import Child, wait_until

PATIENCE = 20.0


def executable() -> str | None:
    return shutil.which("chromium")


class Browser:
    """One page. What it asked of servers and what went wrong in it are kept."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._number = 0

    def __enter__(self) -> Browser:
        profile = self.folder / "profile"
        argv = [executable() or "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        argv += ["--no-first-run", "--disable-background-networking", "--remote-debugging-port=0"]
        argv += [f"--user-data-dir={profile}", "about:blank"]
        self._child = Child(argv, self.folder / "chromium.log")
        try:
            port = wait_until("Chromium's port", lambda: self._port(profile / "DevToolsActivePort"), PATIENCE)
            self._loop.run_until_complete(self._connect(port))
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.command(f"{domain}.enable")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if hasattr(self, "_session"):
            self._loop.run_until_complete(self._session.close())
        self._child.kill()
        self._loop.close()

    @staticmethod
    def _port(file: Path) -> int | None:
        lines = file.read_text().splitlines() if file.exists() else []
        return int(lines[0]) if len(lines) > 1 else None

    async def _connect(self, port: int) -> None:
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"http://127.0.0.1:{port}/json/list") as answer:
            (page,) = [each for each in await answer.json() if each["type"] == "page"]
        self._socket = await self._session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0)

    def command(self, method: str, **parameters: Any) -> dict:
        return self._loop.run_until_complete(asyncio.wait_for(self._command(method, parameters), PATIENCE))

    async def _command(self, method: str, parameters: dict) -> dict:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            message = json.loads((await self._socket.receive()).data)
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self._note(message.get("method"), message.get("params", {}))

    def _note(self, event: str | None, about: dict) -> None:
        if event == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif event == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.complaints.append(f"{about['entry']['text']} {about['entry'].get('url', '')}")
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(about["exceptionDetails"]))

    def open(self, url: str) -> None:
        self.command("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of an expression; a promise is waited for."""
        done = self.command("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait(self, script: str) -> Any:
        """The first true value of an expression."""
        return wait_until(script, lambda: self.run(script), PATIENCE)

    def press(self, key: str, text: str = "") -> None:
        code = {"Enter": 13, "Tab": 9}.get(key, ord(key[0]))
        self.command("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, text=text)
        self.command("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def type(self, text: str) -> None:
        self.command("Input.insertText", text=text)
