"""Linear, sigmoid, classifier: and the standardisation before them."""

from __future__ import annotations

import torch

from bitreel.network import HashHead


def test_it_is_the_formula() -> None:
    torch.manual_seed(0)
    head = HashHead(feature_size=5, bits=3, classes=2)
    features = torch.randn(40, 5) * torch.tensor([1.0, 10, 0.1, 3, 1]) + 4
    head.fit_standardisation(features)
    output = head(features)
    standard = (features - features.mean(0)) / features.std(0, unbiased=False)
    layer, classifier = head.hash_layer, head.classifier
    relaxed = 1 / (1 + torch.exp(-(standard @ layer.weight.T + layer.bias)))
    torch.testing.assert_close(output.relaxed, relaxed)
    torch.testing.assert_close(output.class_logits, relaxed @ classifier.weight.T + classifier.bias)


def test_standardisation_makes_fresh_bits_differ_between_clips() -> None:
    torch.manual_seed(0)
    head = HashHead(feature_size=64, bits=32, classes=4)
    features = torch.rand(200, 64) * 0.1 + 5.0  # positive and nearly constant, as a CNN's are
    before = (head(features).relaxed >= 0.5).float().mean(0)
    head.fit_standardisation(features)
    after = (head(features).relaxed >= 0.5).float().mean(0)
    assert ((before < 0.05) | (before > 0.95)).float().mean() > 0.9
    assert ((after > 0.2) & (after < 0.8)).all()


def test_a_constant_feature_does_not_blow_up() -> None:
    head = HashHead(feature_size=3, bits=4, classes=2)
    head.fit_standardisation(torch.ones(10, 3))
    assert torch.isfinite(head(torch.ones(2, 3) + 1e-6).relaxed).all()
