"""The process that reads videos for another one: python -m bitreel.video.worker RESULTS MEMORY

It is asked on standard input, a line of JSON for each task, and answers on the file descriptor
RESULTS. To read a video: for each clip its facts as JSON and then its frames, at the end how it
ended. To tell its content: that. No pickle: a decoder that a video has taken over can do no more
than send pictures. MEMORY: bytes that it may
have. See `GuardedReader`, which starts it.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bitreel.clip import Clip
from bitreel.errors import ConfigError, VideoError, VideoTooLarge
from bitreel.video.content import content_of
from bitreel.video.segmenting import Segmenting
from bitreel.video.segments import read_segments
from bitreel.video.source import shown

Request = dict[str, Any]


def main() -> None:
    results, memory_bytes = Connection(int(sys.argv[1]), readable=False), int(sys.argv[2])
    _give_way(memory_bytes)
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    _send(results, {"kind": "ready"})
    while True:
        serve(requests.get(), results)


def serve(request: Request, results: Connection) -> None:
    """Do one task and send what comes of it."""
    try:
        if request["task"] == "content":
            digest = content_of(Path(request["path"]))
            _send(results, {"kind": "content", "content": digest and digest.hex()})
            return
        for clip in clips_of(request):
            _send(results, facts_of(clip))
            results.send_bytes(clip.frames.data.cast("B"))
        _send(results, {"kind": "end"})
    except (VideoError, ConfigError) as error:
        _send(results, {"kind": "error", "name": type(error).__name__, "message": str(error)})
    except MemoryError:
        message = (
            f"{shown(request['path'])} needs more memory to be decoded than is allowed. Scale the "
            f"video down."
        )
        _send(results, {"kind": "error", "name": VideoTooLarge.__name__, "message": message})
    except OSError:
        raise  # who asked is gone
    except Exception as error:  # of our own making: it must not stop the other videos
        message = (
            f"{shown(request['path'])} met with an error in bitreel ({type(error).__name__}: "
            f"{error}). Please report it."
        )
        _send(results, {"kind": "error", "name": VideoError.__name__, "message": message})


def clips_of(request: Request) -> Iterator[Clip]:
    """What `read_segments` gives for a request."""
    options = {name: value for name, value in request.items() if name != "task"}
    path, segmenting = Path(options.pop("path")), Segmenting(**options.pop("segmenting"))
    options["size"] = options["size"] and tuple(options["size"])
    return read_segments(path, segmenting, **options)


def facts_of(clip: Clip) -> dict[str, Any]:
    """All of a clip but its frames, as plain JSON values."""
    return {
        "kind": "clip",
        "shape": clip.frames.shape,
        "times_seconds": clip.times_seconds.tolist(),
        "start_seconds": clip.segment.start_seconds,
        "end_seconds": clip.segment.end_seconds,
        "damage": asdict(clip.damage),
        "snippets": clip.snippets.tolist(),
        "centres": clip.centres.tolist(),
    }


def _listen(requests: queue.SimpleQueue[Request]) -> None:
    """Requests as they come. When who asks is gone, so is this process, whatever it is at."""
    for line in sys.stdin.buffer:
        requests.put(json.loads(line))
    os._exit(0)


def _give_way(memory_bytes: int) -> None:
    """Take no more memory than allowed, and be the first to go where the machine has none left."""
    with suppress(ImportError, OSError, ValueError):  # not on every system
        import resource

        most = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, most))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _send(results: Connection, value: dict[str, Any]) -> None:
    results.send_bytes(json.dumps(value).encode())


if __name__ == "__main__":
    main()
