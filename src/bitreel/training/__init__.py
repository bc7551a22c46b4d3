"""From labelled videos to a model."""

from bitreel.training.config import TrainConfig
from bitreel.training.feature_cache import FeatureCache, content_digest, default_cache
from bitreel.training.features import LabelledFeatures, labelled_features
from bitreel.training.train import train

__all__ = [
    "FeatureCache",
    "LabelledFeatures",
    "TrainConfig",
    "content_digest",
    "default_cache",
    "labelled_features",
    "train",
]
