"""Synthetic actions: sprites that move, written as real video files, the same for the same seed."""

from bitreel.dataset.synthetic.actions import make_actions
from bitreel.dataset.synthetic.plan import Settings, Task
from bitreel.dataset.synthetic.render import EASY, HARD, Difficulty

__all__ = ["EASY", "HARD", "Difficulty", "Settings", "Task", "make_actions"]
