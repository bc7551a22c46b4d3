"""From labelled videos to a model."""

from bitreel.training.config import TrainConfig
from bitreel.training.feature_cache import (
    CachedFeatures,
    FeatureCache,
    content_digest,
    default_cache,
)
from bitreel.training.features import LabelledFeatures, labelled_features
from bitreel.training.protocol import ModelEvaluation, evaluate
from bitreel.training.run import is_trained_on, train

__all__ = [
    "CachedFeatures",
    "FeatureCache",
    "LabelledFeatures",
    "ModelEvaluation",
    "TrainConfig",
    "content_digest",
    "default_cache",
    "evaluate",
    "is_trained_on",
    "labelled_features",
    "train",
]
