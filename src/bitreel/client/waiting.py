"""Wait for a job of a server as one waits for a call."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from bitreel.client import answers
from bitreel.client.connection import Connection
from bitreel.client.refusals import error_of
from bitreel.errors import LibraryError
from bitreel.library import AddReport
from bitreel.progress import Progress, Step

_FIRST_SECONDS, _LONGEST_SECONDS = 0.02, 0.5  # between two looks


def await_job(connection: Connection, job: Any, progress: Progress) -> AddReport:
    """What a job did, with its steps shown meanwhile, though not each.

    Whatever ends the waiting, such as Ctrl-C or an error in `progress`, cancels the job. Raises
    what made it fail, and LibraryError where somebody else cancelled it.
    """
    number = answers.read(lambda job: int(job["id"]), job, connection.address)
    try:
        job = _await_end(connection, job, number, progress)
    except BaseException:
        with suppress(LibraryError):
            connection.delete(f"jobs/{number}")
        raise
    if job["state"] == "failed":
        raise error_of(str(job["error"]), job["told"], 500, connection.address)
    if job["state"] == "cancelled":
        raise LibraryError("The job was cancelled; what was indexed so far is kept.")
    report = connection.get(f"jobs/{number}/report")
    return answers.read(answers.report, report, connection.address)


def _await_end(connection: Connection, job: Any, number: int, progress: Progress) -> Any:
    shown, pause = None, _FIRST_SECONDS
    while True:
        step = answers.read(_step, job, connection.address)
        if step != shown and step.total:
            progress(step)
            shown = step
        if job["state"] != "running":
            return job
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_SECONDS)
        job = connection.get(f"jobs/{number}")


def _step(job: Any) -> Step:
    return Step(job["stage"], job["done"], job["total"], job["note"])
