"""Measures as named values, and codes with labels in, figures out. numpy only."""

from bitreel.evaluation.average_precision import AveragePrecision
from bitreel.evaluation.code_file import CodeFile
from bitreel.evaluation.evaluate import Evaluation, default_measures, evaluate_codes
from bitreel.evaluation.measure import Measure
from bitreel.evaluation.parse import parse_measure
from bitreel.evaluation.ranking import Ranking, rank
from bitreel.evaluation.recall import Recall
from bitreel.evaluation.report import table, to_csv, to_json

__all__ = [
    "AveragePrecision",
    "CodeFile",
    "Evaluation",
    "Measure",
    "Ranking",
    "Recall",
    "default_measures",
    "evaluate_codes",
    "parse_measure",
    "rank",
    "table",
    "to_csv",
    "to_json",
]
