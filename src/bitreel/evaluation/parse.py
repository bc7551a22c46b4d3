"""From the name of a measure to the measure."""

from __future__ import annotations

import re
from typing import cast

from bitreel.errors import ConfigError
from bitreel.evaluation.average_precision import AveragePrecision, Denominator
from bitreel.evaluation.measure import Measure, Ties
from bitreel.evaluation.recall import Recall

_NAME = re.compile(
    r"(?P<kind>mAP|recall)"
    r"(@(?P<cutoff>[0-9]{1,9}))?"
    r"(/(?P<divide_by>hits|min\(k,R\)|R))?"
    r"(,ties=(?P<ties>expected|stored|best|worst))?"
)
_EXAMPLES = "mAP@10, mAP@10/hits, mAP@10/hits,ties=expected, mAP@10/min(k,R), mAP, recall@1"


def parse_measure(name: str) -> Measure:
    """The measure of this name: `str(parse_measure(name)) == name`.

    Raises ConfigError for a name that no measure has, which includes a second way to write one.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ConfigError(f"There is no measure {name!r}. Names look like {_EXAMPLES}.")
    cutoff = None if found["cutoff"] is None else int(found["cutoff"])
    divide_by = cast("Denominator | None", found["divide_by"])
    ties = cast("Ties | None", found["ties"])
    measure: Measure
    if found["kind"] == "recall":
        if cutoff is None or divide_by:
            raise ConfigError(f"There is no measure {name!r}. Recall is written recall@10.")
        measure = Recall(cutoff, ties or "expected")
    elif cutoff is None:
        measure = AveragePrecision(None, divide_by or "R", ties or "expected")
    else:
        usual: Ties = "stored" if divide_by == "hits" else "expected"
        measure = AveragePrecision(cutoff, divide_by or "k", ties or usual)
    if measure.name != name:
        raise ConfigError(f"The measure {name!r} is written {measure.name!r}.")
    return measure
