"""The version of bitreel, which models and libraries carry."""

__version__ = "0.4.0"
