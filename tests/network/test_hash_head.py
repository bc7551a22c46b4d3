"""Linear, sigmoid, classifier."""

from __future__ import annotations

import torch

from bitreel.network import HashHead


def test_it_is_the_formula() -> None:
    torch.manual_seed(0)
    head = HashHead(feature_size=5, bits=3, classes=2)
    features = torch.randn(40, 5)
    output = head(features)
    layer, classifier = head.hash_layer, head.classifier
    assert classifier is not None
    relaxed = 1 / (1 + torch.exp(-(features @ layer.weight.T + layer.bias)))
    torch.testing.assert_close(output.relaxed, relaxed)
    torch.testing.assert_close(output.class_logits, relaxed @ classifier.weight.T + classifier.bias)


def test_without_classes_there_is_no_classifier() -> None:
    head = HashHead(feature_size=5, bits=3, classes=0)
    output = head(torch.randn(4, 5))
    assert output.relaxed.shape == (4, 3)
    assert output.class_logits.shape == (4, 0)
    assert {name for name, _ in head.named_parameters()} == {"hash_layer.weight", "hash_layer.bias"}
