"""Streams of features to bits: standardised, fused, joined."""

from __future__ import annotations

import torch

from bitreel.network import CodeHead


def head(bits: int = 3, sizes: tuple[int, ...] = (5,), fusion: str = "mean") -> CodeHead:
    torch.manual_seed(0)
    return CodeHead(
        feature_sizes=sizes,
        positions=[4] * len(sizes),
        fusion=fusion,  # type: ignore[arg-type]
        bits=bits,
        classes=2,
    ).eval()


def test_each_stream_is_standardised_by_itself_and_joined_in_order() -> None:
    both = head(sizes=(5, 2))
    scale = torch.tensor([1.0, 10, 0.1, 3, 1])
    streams = [torch.randn(40, 4, 5) * scale + 4, torch.randn(40, 3, 2) * 100]
    both.fit_standardisation(streams)
    means = [stream.mean(1) for stream in streams]
    standard = [(m - m.mean(0)) / m.std(0, unbiased=False) for m in means]
    torch.testing.assert_close(both.fused(streams), torch.cat(standard, 1), rtol=1e-4, atol=1e-4)
    expected = both.hash_head(torch.cat(standard, 1)).bit_logits
    torch.testing.assert_close(both(streams).bit_logits, expected, rtol=1e-4, atol=1e-4)


def test_standardisation_makes_fresh_bits_differ_between_clips() -> None:
    fresh = head(bits=32, sizes=(64,))
    features = [torch.rand(200, 4, 64) * 0.1 + 5.0]  # positive and nearly constant, as a CNN's are
    before = (fresh(features).relaxed >= 0.5).float().mean(0)
    fresh.fit_standardisation(features)
    after = (fresh(features).relaxed >= 0.5).float().mean(0)
    assert ((before < 0.05) | (before > 0.95)).float().mean() > 0.9
    assert ((after > 0.2) & (after < 0.8)).all()


def test_segments_root_the_features_first() -> None:
    rooted = head(sizes=(5,), fusion="segments")
    features = torch.randn(40, 8, 5) * 9
    rooted.fit_standardisation([features])
    roots = features.sign() * features.abs().sqrt()
    means = roots.mean(1)
    standard = (roots - means.mean(0)) / means.std(0, unbiased=False)
    expected = torch.cat([standard[:, 2 * k : 2 * k + 2].mean(1) for k in range(4)], 1)
    torch.testing.assert_close(rooted.fused([features]), expected, rtol=1e-4, atol=1e-4)


def test_a_constant_feature_does_not_blow_up() -> None:
    fresh = head(sizes=(3,))
    fresh.fit_standardisation([torch.ones(10, 4, 3)])
    assert torch.isfinite(fresh([torch.ones(2, 4, 3) + 1e-6]).relaxed).all()
