"""The model, one folder: what is in it, what it depends on, how it is saved."""

from bitreel.model.config import ModelConfig, Sampling
from bitreel.model.cost import Cost, Known, measure_cost
from bitreel.model.encode_many import Encoded
from bitreel.model.folder import is_model
from bitreel.model.model import Features, Model
from bitreel.model.quantisation import quantise

__all__ = [
    "Cost",
    "Encoded",
    "Features",
    "Known",
    "Model",
    "ModelConfig",
    "Sampling",
    "is_model",
    "measure_cost",
    "quantise",
]
