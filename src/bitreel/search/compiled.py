"""How the search kernels are compiled: once for each machine, then read from numba's cache.

numba keeps what it compiled beside the source (or in the user's cache folder) and compiles anew
when the file that defines a kernel changes. A kernel that it calls from another file may change
too: here all are compiled anew when any file with a kernel does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import xxhash
from numba import njit, types
from numba.core import event
from numba.extending import intrinsic

from bitreel.progress import Progress, Step

P = ParamSpec("P")
R = TypeVar("R")

_WHOLE_VECTORS = '"prefer-vector-width"="512"'


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile at the first call, for the processor at hand, to run without the GIL.

    No types are stated, so that nothing is compiled by an import. Where no folder can be written,
    each process compiles anew.
    """
    try:
        compiled: Any = njit(nogil=True, cache=True, error_model="numpy")(function)
        stored = compiled._cache._cache_file  # numba offers no other way to say what it depends on
        stored._source_stamp = (stored._source_stamp, _stamp_of_all_kernels())
    except RuntimeError:  # numba's answer where it finds nowhere to keep a cache
        compiled = njit(nogil=True, error_model="numpy")(function)
    return cast(Callable[P, R], compiled)


@lru_cache
def _stamp_of_all_kernels() -> str:
    """Changes with the text of any file here that has a kernel or a part of one."""
    stamp = xxhash.xxh3_128()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        text = path.read_bytes()
        if b"@kernel" in text or b"intrinsic(" in text:
            stamp.update(text)
    return stamp.hexdigest()


def _popcount(typing_context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


def _vector_popcount(typing_context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # LLVM halves its vectors for Intel's processors, against a drop of the clock that those
        # with a vector popcount no longer have. llvmlite knows no attribute of this name, hence
        # `set`. Inlined, the kernel would lose it.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        builder.function.attributes.add("noinline")
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


popcount = cast(Callable[[Any], int], intrinsic(_popcount))
"""LLVM's own popcount of a uint64, one instruction where the processor has it.

The count is signed, since numba makes a float of what mixes signed and unsigned integers.
"""

vector_popcount = cast(Callable[[Any], int], intrinsic(_vector_popcount))
"""The same for a loop over many words: the kernel that it stands in uses vectors of full width."""


def to_stderr(step: Step) -> None:
    """One line, since there is no saying how far the compiler is."""
    print(f"{step.stage} ({step.note})...", file=sys.stderr, flush=True)


class _FirstCompilation(event.Listener):
    """Reports when the first of bitreel's kernels is really compiled, not read from the cache."""

    def __init__(self, report: Progress) -> None:
        self.report = report
        self._reported = False

    def on_start(self, event: Any) -> None:
        module = str(event.data["dispatcher"].py_func.__module__)
        if module.startswith("bitreel.") and not self._reported:
            self._reported = True
            self.report(
                Step("Compiling the search kernels", 0, 1, "once for this machine, half a minute")
            )

    def on_end(self, event: Any) -> None:
        """Nothing: what comes next is the answer."""


_first_compilation = _FirstCompilation(to_stderr)
event.register("numba:compile", _first_compilation)  # type: ignore[no-untyped-call]


def report_compiling(progress: Progress) -> None:
    """Who is told when this process has to compile kernels. A line on stderr when not called."""
    _first_compilation.report = progress
