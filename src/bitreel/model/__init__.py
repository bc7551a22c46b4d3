"""The model, one folder: what is in it, what it depends on, how it is saved."""

from bitreel.model.config import ModelConfig, Sampling
from bitreel.model.folder import is_model
from bitreel.model.model import Features, Model

__all__ = ["Features", "Model", "ModelConfig", "Sampling", "is_model"]
