"""`bitreel doctor`: what it prints and how it ends."""

from __future__ import annotations

import pytest

from bitreel.insight.doctor import Check
from command_line import bitreel


def test_this_machine() -> None:
    """The tests could not run on one that has something to be mended."""
    ran = bitreel("doctor", "--json")
    checks = {check["name"]: check for check in ran.json}
    names = {"python", "torch", "torchvision", "weights", "video", "codecs", "cache"}
    assert set(checks) == names
    for check in checks.values():
        assert set(check) == {"name", "state", "finding", "advice"}
        assert check["state"] in ("ok", "note")
    printed = bitreel("doctor")
    assert printed.code == 0
    assert all(name in printed.out for name in names)


def test_what_has_to_be_mended_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [
        Check("torch", "ok", "torch 2"),
        Check("codecs", "bad", "no decoder for [av1]", "Install av from its wheel."),
    ]
    monkeypatch.setattr("bitreel.insight.doctor.examine", lambda: iter(checks))
    ran = bitreel("doctor")
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "ok   torch        torch 2.",
        "bad  codecs       no decoder for [av1].  Install av from its wheel.",
    ]
    as_json = bitreel("doctor", "--json")
    assert as_json.code == 1
    assert '"state": "bad"' in as_json.out


def test_a_note_is_no_reason_to_end_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [Check("torch", "note", "no GPU")]
    monkeypatch.setattr("bitreel.insight.doctor.examine", lambda: iter(checks))
    assert bitreel("doctor").code == 0
