"""A served library under load, by wrk: latency by number of callers, memory over many requests.

A library of made segments, with some drawn clips to send. The server is a process of its own; wrk
and the server share this machine's cores. Wants `wrk` on the path.

    python benchmarks/load.py [--segments 100000] [--seconds 20] [--requests 10000] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bitreel.dataset.synthetic import make_actions
from bitreel.library import Library
from bitreel.library.store.verifying import made_videos
from bitreel.model import Model
from bitreel.training.presets import make_config

BITS, PORT = 64, 8765
_SERVER = """
import sys, uvicorn
from pathlib import Path
from bitreel.server.app import create_app
from bitreel.server.settings import Settings
settings = Settings(Path(sys.argv[1]), port=int(sys.argv[2]), searches_a_minute=10**9)
uvicorn.run(create_app(settings), host="127.0.0.1", port=settings.port, log_level="error")
"""
_SEGMENT = """
local ids = {}
for line in io.lines("IDS") do ids[#ids + 1] = line end
math.randomseed(os.time())
request = function()
  return wrk.format("GET", "/api/segments/" .. ids[math.random(#ids)] .. "/similar?k=10")
end
"""
_UPLOAD = """
local file = io.open("CLIP", "rb")
local video = file:read("*a")
local edge = "----bitreel"
wrk.method = "POST"
wrk.headers["Content-Type"] = "multipart/form-data; boundary=" .. edge
wrk.body = "--" .. edge
  .. "\\r\\nContent-Disposition: form-data; name=\\"file\\"; filename=\\"q.mp4\\""
  .. "\\r\\nContent-Type: video/mp4\\r\\n\\r\\n" .. video .. "\\r\\n--" .. edge .. "--\\r\\n"
"""
_TIMES = {"us": 1e-3, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass
class Row:
    """failed: answers that were not 2xx, and connections that broke."""

    what: str
    callers: int
    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    failed: int


def main() -> None:
    options = parse()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = make_library(folder, options.segments)
        scripts = write_scripts(folder, clip)
        with served(folder / "library") as server:
            rows = list(measured(scripts, options.seconds))
            before = memory_mb(server)
            asked = ask_many(scripts["search by segment"], options.requests)
            after = memory_mb(server)
    print(
        "\n| search | callers | requests/s | p50 ms | p99 ms | failed |\n|---|---|---|---|---|---|"
    )
    for row in rows:
        print(
            f"| {row.what} | {row.callers} | {row.requests_per_second:,.1f} | {row.p50_ms:,.1f} | "
            f"{row.p99_ms:,.1f} | {row.failed} of {row.requests} |"
        )
    print(f"\nMemory: {before:.0f} MB, after {asked:,} more requests {after:.0f} MB.")
    if options.json:
        facts = {"before_mb": before, "after_mb": after, "requests": asked}
        answer = {"rows": [asdict(row) for row in rows], "memory": facts}
        options.json.write_text(json.dumps(answer, indent=2) + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=20, help="for each row")
    parser.add_argument("--requests", type=int, default=10_000, help="between two looks at memory")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is not on the path: install it, for instance by apt-get install wrk.")
    return options


def make_library(folder: Path, segments: int) -> Path:
    """Gives a clip to send."""
    manifest = make_actions(folder / "clips", clips_per_class=2)
    model = Model(make_config("seed", options={}).model(("a", "b")))
    for backbone in model.network.backbones:
        backbone.load_pretrained("package")
    clips = sorted(manifest.parent.rglob("*.mp4"))
    with Library.create(folder / "library", model) as library:
        library.add(clips)
        with library._catalogue.transaction(write=True):
            for video in made_videos(segments, BITS, seed=0):
                library._catalogue.put(video)
        library.plan_index()
        ids = library.codes()[0][:: max(1, segments // 5_000)]
    (folder / "ids.txt").write_text("\n".join(map(str, ids.tolist())))
    return clips[0]


def write_scripts(folder: Path, clip: Path) -> dict[str, list[str]]:
    """What wrk is told for each kind of search."""
    segment, upload = folder / "segment.lua", folder / "upload.lua"
    segment.write_text(_SEGMENT.replace("IDS", str(folder / "ids.txt")))
    upload.write_text(_UPLOAD.replace("CLIP", str(clip)))
    root = f"http://127.0.0.1:{PORT}"
    return {
        "search by segment": ["-s", str(segment), root],
        "search by upload": ["-s", str(upload), f"{root}/api/search"],
    }


@contextmanager
def served(library: Path) -> Iterator[int]:
    """Gives the process of the server, warmed up."""
    process = subprocess.Popen([sys.executable, "-c", _SERVER, str(library), str(PORT)])
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/api/ready", timeout=60).close()
                break
            except OSError:
                time.sleep(0.5)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def measured(scripts: dict[str, list[str]], seconds: int) -> Iterator[Row]:
    for what, script in scripts.items():
        wrk(what, script, 1, 5)  # warm
        for callers in (1, 4, 16):
            yield wrk(what, script, callers, seconds)


def wrk(what: str, script: list[str], callers: int, seconds: int) -> Row:
    command = ["wrk", "-t1", f"-c{callers}", f"-d{seconds}s", "--timeout", "60s", "--latency"]
    said = subprocess.run([*command, *script], capture_output=True, text=True, check=True).stdout
    requests = int(found(r"(\d+) requests in", said))
    failed = int(found(r"Non-2xx or 3xx responses: (\d+)", said, "0"))
    failed += sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", said)))
    rate = float(found(r"Requests/sec:\s+([\d.]+)", said))
    return Row(what, callers, requests, rate, percentile(50, said), percentile(99, said), failed)


def ask_many(script: list[str], wanted: int) -> int:
    asked = 0
    while asked < wanted:
        asked += wrk("memory", script, 4, 10).requests
    return asked


def percentile(share: int, said: str) -> float:
    value, unit = re.findall(rf"{share}%\s+([\d.]+)(us|ms|s|m)\b", said)[0]
    return float(value) * _TIMES[unit]


def found(pattern: str, said: str, otherwise: str | None = None) -> str:
    match = re.search(pattern, said)
    if match is None:
        assert otherwise is not None, said
        return otherwise
    return match[1]


def memory_mb(process: int) -> float:
    """Of the server and the processes that decode for it."""
    pages = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = stat.read_text().rpartition(")")[2].split()
        if int(stat.parent.name) == process or int(fields[1]) == process:
            pages += int(fields[21])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    main()
