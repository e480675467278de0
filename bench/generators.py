"""What the servers are asked, and by whom: wrk, as fast as answers come, or open_loop.cpp, on a schedule."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.proxies import TEMPLATES, Server, find_tool, program

# 300 bytes.
REGISTERED_MODEL = (
    '{"registered_model":{"name":"fraud-detector-1","creation_timestamp":1755172800000,'
    '"last_updated_timestamp":1755172860000,"description":"what a registry answers to a look-up",'
    '"tags":[{"key":"team","value":"risk"}],'
    '"aliases":[{"alias":"champion","version":"12"},{"alias":"challenger","version":"13"}]}}'
)


@dataclass(frozen=True)
class Answered:
    count: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.count / self.seconds


def write_call(directory: Path, key: str, template: str = "registry_call.http") -> Path:
    """A registry look-up as a serving fleet sends it: 10 fields, 480 bytes. Both generators number its ####."""
    text = (TEMPLATES / template).read_text().replace("@key@", key)
    path = directory / template
    path.write_bytes((text + "\n").replace("\n", "\r\n").encode())
    return path


def wrk(url: str, seconds: int, connections: int, call: Path | None = None) -> Answered:
    """Sends `call` over and over, or GETs `url`. Raises RuntimeError when any answer is no success."""
    argv = [str(find_tool("wrk")), "--threads", "1", "--connections", str(connections)]
    argv += ["--duration", f"{seconds}s", "--timeout", "10s"]
    if call:
        argv += ["--script", str(TEMPLATES / "numbered_requests.lua"), url, "--", str(call)]
    else:
        argv.append(url)
    done = subprocess.run(argv, capture_output=True, text=True, timeout=seconds + 30, check=True)
    if fault := re.search(r"Non-2xx.*|Socket errors.*", done.stdout):
        raise RuntimeError(f"{url}: {fault.group()}")
    count, took, unit = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)", done.stdout).groups()
    return Answered(int(count), float(took) * {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}[unit])


def open_loop(server: Server, rate: float, seconds: int, call: Path) -> dict[str, float]:
    """Microseconds at some percentiles, and how late the generator itself was. Raises RuntimeError when any request
    was not answered with 200.
    """
    argv = [program("open_loop"), str(server.port), f"{rate:.0f}", str(seconds), str(call)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=seconds + 30, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"open_loop against {server.url}: {done.stderr.strip()}")
    return json.loads(done.stdout)
