"""Every option of a training run, its default, and the bounds it keeps."""

from __future__ import annotations

import math
from dataclasses import field
from typing import Literal, get_args

from pydantic.dataclasses import dataclass

from bitreel.config import STRICT
from bitreel.errors import ConfigError
from bitreel.loss import Loss, TripletStrategy, make_loss
from bitreel.model import ModelConfig, Sampling
from bitreel.network import DEFAULT_BACKBONE, READY_FUSIONS

LossChoice = Literal["two-term", "ortho", "central", "ridge", "itq"]
LOSSES: tuple[str, ...] = get_args(LossChoice)


@dataclass(frozen=True, config=STRICT)
class TrainConfig:
    """What a training run depends on beside the data. Saved with the model.

    The defaults are what won the comparison on validation groups (benchmarks/recipe.py).
    """

    bits: int = 64
    backbone: str = DEFAULT_BACKBONE
    weights: str = "package"
    modality: str = "rgb,difference"
    encoder: str = "segments"
    sampling: Sampling = field(default_factory=Sampling)

    # ridge and itq are fitted, not trained: by regression to codes of the classes, without labels
    loss: LossChoice = "ridge"
    alpha: float = 1.0
    beta: float = 1.0
    margin: float | None = None  # in bits; None: a quarter of the bits
    triplets: TripletStrategy = "semi-hard"
    quantisation: float = 0.0  # weight of the term that pulls relaxed bits to 0 or 1
    balance: float = 0.0  # weight of the term that sets each bit for half of the clips

    ridge: float = 0.01  # how much ridge holds the weights down, in mean squared lengths of inputs

    mirror: bool = False  # show clips also with left and right exchanged
    finetune: bool = False  # train the backbone too; otherwise its features are cached
    learning_rate: float = 1e-3
    backbone_learning_rate: float = 1e-4
    weight_decay: float = 1e-2
    classes_per_batch: int = 8
    clips_per_class: int = 4
    epochs: int = 60
    patience: int = 20  # epochs without a better validation mAP@10 before it stops

    refit: bool = True  # train anew on all clips, for as many epochs as validation chose
    validation_fraction: float = 0.2  # of the training part's clips, held out by whole groups
    seed: int = 0
    precision: Literal["32-true", "bf16-mixed"] = "32-true"  # Lightning Fabric's names

    def __post_init__(self) -> None:
        counts = {
            "classes_per_batch": self.classes_per_batch - 1,
            "clips_per_class": self.clips_per_class,
            "epochs": self.epochs,
            "patience": self.patience,
        }
        for name, value in counts.items():
            if value < 1:
                least = 2 if name == "classes_per_batch" else 1
                raise ConfigError(f"{name} must be {least} or more.")
        rates = (self.learning_rate, self.backbone_learning_rate)
        if not all(0 < rate < math.inf for rate in rates) or not 0 <= self.weight_decay < math.inf:
            raise ConfigError("Learning rates must be above 0, and weight_decay 0 or more.")
        if not 0 < self.ridge < math.inf:
            raise ConfigError(f"The ridge is above 0, got {self.ridge}.")
        if not 0 <= self.seed < 2**31:
            raise ConfigError(f"A seed lies between 0 and {2**31 - 1}, got {self.seed}.")
        if not 0 < self.validation_fraction < 1:
            raise ConfigError(
                f"validation_fraction must lie between 0 and 1, got {self.validation_fraction}: "
                f"the model is chosen by validation."
            )
        self.model(("any",))  # checks bits, modality, encoder and sampling
        if not self.is_fitted:
            self.make_loss(classes=2)
        elif self.finetune:
            raise ConfigError(
                f"{self.loss} fits the hash layer and trains nothing below it: leave out finetune, "
                f"or take a loss that trains, such as ortho."
            )
        elif self.model(("any",)).encoder_parts.fusion not in READY_FUSIONS:
            raise ConfigError(
                f"{self.loss} trains nothing below the hash layer: take an encoder with nothing to "
                f"train above the backbone (segments, mean) in place of {self.encoder!r}, or a "
                f"loss that trains, such as ortho."
            )

        if self.loss == "itq" and self.mirror:
            raise ConfigError("itq learns from clips as they are: leave out mirror.")

    @property
    def is_fitted(self) -> bool:
        """Whether the hash layer is worked out in one go rather than trained by epochs."""
        return self.loss in ("ridge", "itq")

    def make_loss(self, *, classes: int) -> Loss:
        """The loss that these options name. Raises ConfigError."""
        if self.loss == "ridge" or self.loss == "itq":
            raise ConfigError(f"{self.loss} is fitted, not trained: it has no loss.")
        return make_loss(
            self.loss,
            bits=self.bits,
            classes=classes,
            alpha=self.alpha,
            beta=self.beta,
            margin=self.margin,
            triplets=self.triplets,
            quantisation=self.quantisation,
            balance=self.balance,
        )

    def model(self, labels: tuple[str, ...]) -> ModelConfig:
        """The part of these options that the model keeps."""
        return ModelConfig(
            labels=labels,
            bits=self.bits,
            backbone=self.backbone,
            modality=self.modality,
            encoder=self.encoder,
            sampling=self.sampling,
        )
