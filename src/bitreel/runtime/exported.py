"""What exporting a backbone needs, whichever runtime it is for."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from bitreel.errors import ConfigError

# Tracing patches modules while it looks at them.
_one_at_a_time = threading.Lock()


class ExportError(ConfigError):
    """A backbone that a runtime does not take."""


@contextmanager
def exporting(runtime: str) -> Iterator[None]:
    """Within: a module may be traced. What the tracer raises, of whatever kind, is ExportError."""
    with _one_at_a_time, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of tracers: about shapes, which are fixed here
        try:
            yield
        except Exception as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise ExportError(
                f"The runtime {runtime} does not take this backbone ({first}): choose the runtime "
                f"torch."
            ) from error


def keep(contents: Mapping[Path, bytes]) -> None:
    """Write files whole, in this order. Another process may do the same meanwhile.

    Where they can not be written, nothing is kept: the next process exports again.
    """
    with suppress(OSError):
        for file, content in contents.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            aside = file.with_name(f"{file.name}.{os.getpid()}")
            try:
                aside.write_bytes(content)
                os.replace(aside, file)
            finally:
                aside.unlink(missing_ok=True)
