"""The training loop: epochs of class batches, validation after each, the best one kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from bitreel.codes import BinaryCodes
from bitreel.config import to_json
from bitreel.errors import ModelError
from bitreel.evaluation import evaluate_codes
from bitreel.model import Model
from bitreel.progress import Progress, Step
from bitreel.training import checkpoint as checkpoints
from bitreel.training.batches import ClassBatches
from bitreel.training.checkpoint import Checkpoint, Tensors
from bitreel.training.config import TrainConfig
from bitreel.training.inputs import Inputs

HEADLINE = "mAP@10"


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Row numbers of the training and of the validation part, and the class number of every row.

    digest tells a resumed run that the data are still the same.
    """

    labels: Sequence[int]
    training: Sequence[int]
    validation: Sequence[int]
    digest: str

    def score(self, codes: BinaryCodes) -> float:
        """mAP@10 of the validation part as queries, with the training part as the database."""
        labels = np.asarray(self.labels)
        query, database = list(self.validation), list(self.training)
        evaluation = evaluate_codes(codes[query], labels[query], codes[database], labels[database])
        return evaluation.values[HEADLINE]

    def all_training(self) -> TrainingData:
        """The same data with nothing held out."""
        rows = sorted([*self.training, *self.validation])
        return replace(self, training=rows, validation=())


@dataclass(frozen=True)
class Outcome:
    """How a fit went. best_epoch counts from 0; best_score is None without a validation part."""

    best_epoch: int
    best_score: float | None
    history: list[dict[str, float]]


class Fit:
    """One training of a model in place, which goes on from its phase's checkpoint beside `output`.

    With a validation part the best epoch's weights are kept and `patience` ends the run early;
    without one the last epoch's are.
    """

    def __init__(
        self,
        model: Model,
        inputs: Inputs,
        data: TrainingData,
        config: TrainConfig,
        *,
        phase: str,
        epochs: int,
        fabric: Fabric,
        output: Path | None,
    ) -> None:
        self.model, self.inputs, self.data, self.config = model, inputs, data, config
        self.phase, self.epochs, self.fabric, self.output = phase, epochs, fabric, output
        self.loss = config.make_loss(classes=len(model.config.labels))
        self.batches = ClassBatches(
            [data.labels[row] for row in data.training],
            classes_per_batch=config.classes_per_batch,
            clips_per_class=config.clips_per_class,
            seed=config.seed,
        )
        self.module, self.optimiser = fabric.setup(inputs.module, self._optimiser())
        self.history: list[dict[str, float]] = []
        self.best: Tensors = {}
        self.best_epoch = -1

    @property
    def best_score(self) -> float | None:
        """Validation mAP@10 of the best epoch so far."""
        return self.history[self.best_epoch].get(HEADLINE) if self.history else None

    def run(self, *, progress: Progress) -> Outcome:
        """Train, and leave the kept epoch's weights in the model."""
        for epoch in range(self._resume(), self.epochs):
            if self.best and epoch - self.best_epoch > self.config.patience:
                break
            self._keep_if_best(epoch, self._train_epoch(epoch) | self._validate())
            self._save(epoch + 1)
            progress(Step(self.phase, epoch + 1, self.epochs, self._note()))
        self.inputs.module.load_state_dict(self.best)
        self.inputs.module.eval()  # without validation nothing has left training mode
        return Outcome(self.best_epoch, self.best_score, self.history)

    def _train_epoch(self, epoch: int) -> dict[str, float]:
        # The random triplets of an epoch depend on its number alone, as its batches do.
        torch.manual_seed(self.config.seed * 1_000_003 + epoch)
        self.inputs.learn()
        sums: dict[str, float] = {}
        for drawn in self.batches.epoch(epoch, rank=self.fabric.global_rank):
            rows = [self.data.training[row] for row in drawn]
            labels = torch.tensor([self.data.labels[row] for row in rows])
            inputs, labels = self.fabric.to_device((self.inputs.batch(rows), labels))
            output = self.module(inputs)
            terms = self.loss(output.bit_logits, output.class_logits, labels)
            self.optimiser.zero_grad()
            # Not every loss reads the classifier, and processes that share a step wait for the
            # gradient of every weight.
            self.fabric.backward(terms.total + 0.0 * output.class_logits.sum())
            self.optimiser.step()
            for name, value in {"loss": terms.total, **terms.terms}.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach())
        return {name: value / self.batches.steps for name, value in sums.items()}

    def _validate(self) -> dict[str, float]:
        if not self.data.validation:
            return {}
        # One process judges for all: how the others round must not make them stop at other epochs.
        judges = self.fabric.global_rank == 0
        score = self.data.score(self.inputs.codes()) if judges else 0.0
        return {HEADLINE: self.fabric.broadcast(score)}

    def _keep_if_best(self, epoch: int, facts: dict[str, float]) -> None:
        best = self.best_score
        self.history.append(facts)
        if best is None or facts[HEADLINE] > best:
            self.best_epoch, self.best = epoch, self._weights()

    def _optimiser(self) -> torch.optim.Optimizer:
        network, config = self.model.network, self.config
        head = list(network.head.parameters())
        groups: list[dict[str, Any]] = [{"params": head, "lr": config.learning_rate}]
        if config.finetune:
            backbone = list(network.backbones.parameters())
            groups.append({"params": backbone, "lr": config.backbone_learning_rate})
        return torch.optim.AdamW(groups, weight_decay=config.weight_decay)

    def _weights(self) -> Tensors:
        state = self.inputs.module.state_dict()
        return {name: tensor.detach().clone() for name, tensor in state.items()}

    def _note(self) -> str:
        now = self.history[-1]
        if self.best_score is None:
            return f"loss {now['loss']:.3f}"
        return (
            f"loss {now['loss']:.3f}  {HEADLINE} {now[HEADLINE]:.3f}  "
            f"best {self.best_score:.3f} (epoch {self.best_epoch + 1})"
        )

    def _save(self, epochs: int) -> None:
        if self.output is None or self.fabric.global_rank:
            return
        facts = {
            "epoch": epochs,
            "best_epoch": self.best_epoch,
            "history": self.history,
            "config": to_json(self.config),
            "data": self.data.digest,
        }
        moments = checkpoints.optimiser_tensors(self.optimiser)
        state = Checkpoint(self._weights(), self.best, moments, facts)
        checkpoints.save(self.output, self.phase, state)

    def _resume(self) -> int:
        """The first epoch to run: after the last that the checkpoint holds."""
        found = checkpoints.load(self.output, self.phase) if self.output else None
        if found is None or self.output is None:
            return 0
        self._check_same_run(found.facts, checkpoints.folder_of(self.output))
        self.inputs.module.load_state_dict(found.network)
        checkpoints.restore_optimiser(self.optimiser, found.optimiser)
        self.best, self.history = found.best, found.facts["history"]
        self.best_epoch = found.facts["best_epoch"]
        return int(found.facts["epoch"])

    def _check_same_run(self, facts: dict[str, Any], folder: Path) -> None:
        then, now = facts["config"], to_json(self.config)
        changed = [name for name in now if then.get(name) != now[name]]
        if changed or facts["data"] != self.data.digest:
            what = _option(changed[0]) if changed else "the videos"
            raise ModelError(
                f"{folder} holds an interrupted run that differs in {what}. Run the same command "
                f"again to go on with it, delete that folder to start anew, or name another "
                f"--output."
            )


def _option(field: str) -> str:
    """The command line's word for a field of TrainConfig."""
    return "--frames, --size or --clips" if field == "sampling" else f"--{field.replace('_', '-')}"
