"""The points tried so far, in one SQLite file that outlives its processes and that several share.

A trial (Optuna's word for a point that is tried) belongs to the process that holds its lock. One
that still runs while nobody holds its lock was killed: it is marked as failed and tried again.
"""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from bitreel.errors import ConfigError
from bitreel.training.claims import Claims
from bitreel.training.search_space import Choice, Dimension, SearchSpace, Value

try:
    import optuna
    from optuna.trial import FrozenTrial, Trial, TrialState
    from sqlalchemy.exc import SQLAlchemyError
except ImportError as error:
    raise ConfigError("Tuning needs Optuna: pip install 'bitreel[tune]'.") from error

NAME = "tune"
TRIES = 3  # of a point whose process dies
AT_RANDOM = 10  # points before the sampler learns from them
LEAST_TO_PRUNE = 5  # points of a width before one can be below their median

Result = TypeVar("Result")


class _Connection(sqlite3.Connection):
    """Commits that survive the death of a process without a wait for the disk."""

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        self.execute("PRAGMA journal_mode=WAL")
        self.execute("PRAGMA synchronous=NORMAL")


class Study:
    """Opens FOLDER/study.sqlite, or starts it with the defaults as its first points.

    facts: plain JSON values that must be the same for all who work on it. Raises ConfigError where
    they are not, or where the file can not be used.
    """

    def __init__(
        self, folder: Path, space: SearchSpace, claims: Claims, *, facts: dict[str, Any]
    ) -> None:
        self.path = folder / "study.sqlite"
        self.space, self._claims = space, claims
        self._distributions = {n: _distribution(d) for n, d in space.dimensions.items()}
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with claims.take("study", wait=True):
            self._study = self._try(self._open)
            self._try(lambda: self._begin(facts))

    def ask(self, trials: int, *, hold: Callable[[str], object]) -> Trial | None:
        """The next point to try, or None where `trials` are done or being tried.

        hold: called with the name of the trial's lock, to keep until it is told.
        """
        with self._claims.take("study", wait=True):
            return self._try(lambda: self._ask(trials, hold))

    def tell(self, trial: Trial, score: float | None) -> None:
        """The end of a trial: its score over all seeds, or None where it was pruned."""
        state = TrialState.COMPLETE if score is not None else TrialState.PRUNED
        self._try(lambda: self._study.tell(trial, score, state=state))

    def is_hopeless(self, trial: Trial) -> bool:
        """Whether its mean so far is below the median of what other points of its width had then.

        All points are scored on the same splits in the same order, so those means compare.
        """
        at, others = self._try(lambda: self._beside(trial))
        return len(others) >= LEAST_TO_PRUNE and at < median(others)

    def finished(self) -> list[FrozenTrial]:
        """Points that were scored, whole or until they were pruned, by number."""
        states = (TrialState.COMPLETE, TrialState.PRUNED)
        return self._try(lambda: self._study.get_trials(deepcopy=False, states=states))

    def running(self) -> list[str]:
        """The names of the locks of the points that are being tried."""
        states = (TrialState.RUNNING,)
        trials = self._try(lambda: self._study.get_trials(deepcopy=False, states=states))
        return [_lock(trial.number) for trial in trials]

    def importance(self) -> dict[str, float]:
        """The share of each dimension in what makes a point good, greatest first; they sum to 1.

        PED-ANOVA (Watanabe et al., IJCAI 2023). Empty where there are too few points to say. A
        pruned point counts with the mean that it had.
        """
        scored = [(t.params, mean_of(t)) for t in self.finished() if mean_of(t) is not None]
        varied = {n: d for n, d in self._distributions.items() if not d.single()}
        if len(scored) < AT_RANDOM or not varied:
            return {}
        study = optuna.create_study(direction="maximize")
        for params, score in scored:
            values = {name: params[name] for name in varied}
            study.add_trial(optuna.create_trial(params=values, distributions=varied, value=score))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.25)
            return optuna.importance.get_param_importances(study, evaluator=evaluator)

    def _open(self) -> optuna.Study:
        options = {"connect_args": {"timeout": 60, "factory": _Connection}}  # 60 s for the others
        storage = optuna.storages.RDBStorage(f"sqlite:///{self.path}", engine_kwargs=options)
        return optuna.create_study(
            storage=storage, study_name=NAME, direction="maximize", load_if_exists=True
        )

    def _begin(self, facts: dict[str, Any]) -> None:
        known = self._study.user_attrs.get("facts")
        now = json.loads(json.dumps(facts))
        if known is None:
            self._study.set_user_attr("facts", now)
            for width in self.space.widths:
                point = self.space.default(width)
                if self.space.holds(point):
                    self._study.enqueue_trial(point)
        elif changed := [name for name in now if known.get(name) != now[name]]:
            raise ConfigError(
                f"{self.path.parent} holds a study that differs in {', '.join(changed)}. Run the "
                f"same command again to go on with it, or name another --output."
            )

    def _ask(self, trials: int, hold: Callable[[str], object]) -> Trial | None:
        self._revive()
        states = [trial.state for trial in self._study.get_trials(deepcopy=False)]
        begun = len(states) - states.count(TrialState.FAIL) - states.count(TrialState.WAITING)
        if begun >= trials:
            return None
        widths = self.space.widths
        if TrialState.WAITING not in states and len(widths) > 1:
            self._study.enqueue_trial({"bits": widths[begun % len(widths)]})  # each its share
        # A sampler for each point: what it proposes follows from the study alone, so that neither a
        # kill nor a second process with the same seed repeats or changes the course.
        self._study.sampler = optuna.samplers.TPESampler(
            seed=(self.space.base.seed * 1_000_003 + begun) % 2**32, n_startup_trials=AT_RANDOM
        )
        trial = self._study.ask(self._distributions)
        hold(_lock(trial.number))
        return trial

    def _revive(self) -> None:
        """Put the points of processes that died back in the queue."""
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if not self._claims.is_free(_lock(trial.number)):
                continue
            self._study.tell(trial.number, state=TrialState.FAIL)
            tries = trial.user_attrs.get("tries", 1)
            if trial.params and tries < TRIES:
                self._study.enqueue_trial(trial.params, user_attrs={"tries": tries + 1})

    def _beside(self, trial: Trial) -> tuple[float, list[float]]:
        """The trial's last reported mean, and what others of its width had reported by then."""
        mine = self._study.get_trials(deepcopy=False)[trial.number]
        step = max(mine.intermediate_values)
        others = [
            other.intermediate_values[step]
            for other in self.finished()
            if other.params["bits"] == mine.params["bits"] and step in other.intermediate_values
        ]
        return mine.intermediate_values[step], others

    def _try(self, work: Callable[[], Result]) -> Result:
        try:
            return work()
        except (SQLAlchemyError, sqlite3.Error, optuna.exceptions.StorageInternalError) as error:
            reason = str(error.__cause__ or error).splitlines()[0]
            raise ConfigError(
                f"The study {self.path} can not be used ({reason}): delete it, or name another "
                f"--output."
            ) from error


def points_by_width(trials: list[FrozenTrial]) -> dict[int, list[tuple[float, dict[str, Value]]]]:
    """Of each width the points scored on all seeds, best first, every point once."""
    found: dict[int, dict[str, tuple[float, dict[str, Value]]]] = defaultdict(dict)
    for trial in trials:
        if trial.state == TrialState.COMPLETE and trial.value is not None:
            name = json.dumps(trial.params, sort_keys=True)
            found[int(trial.params["bits"])][name] = trial.value, trial.params
    return {
        width: sorted(points.values(), key=lambda scored: -scored[0])
        for width, points in found.items()
    }


def is_pruned(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.PRUNED


def mean_of(trial: FrozenTrial) -> float | None:
    """Over the seeds that a point was given."""
    values = trial.intermediate_values
    return values[max(values)] if values else None


def _lock(number: int) -> str:
    return f"trial-{number}"


def _distribution(dimension: Dimension) -> optuna.distributions.BaseDistribution:
    if isinstance(dimension, Choice):
        return optuna.distributions.CategoricalDistribution(dimension.values)
    return optuna.distributions.FloatDistribution(dimension.low, dimension.high, log=dimension.log)
