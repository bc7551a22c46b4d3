"""bitreel finds video clips that show the same action: learned binary codes, XOR and popcount."""

__version__ = "0.1.0"
