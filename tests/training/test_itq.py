"""ITQ: what its iterations promise, beside FAISS, and with too few clips for its bits."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import BitreelError, ConfigError, DataError
from bitreel.training.itq import ItqProjection, fit_itq

Floats = NDArray[np.float32]


def clustered(seed: int, n: int, dimensions: int, *, clusters: int = 8) -> Floats:
    """Features around a few centres, far from the origin as a backbone's are."""
    generator = np.random.default_rng(seed)
    centres = 3 * generator.standard_normal((clusters, dimensions)) + 5
    noise = generator.standard_normal((n, dimensions)) * np.linspace(2, 0.2, dimensions)
    return (centres[generator.integers(clusters, size=n)] + noise).astype(np.float32)


def logits(projection: ItqProjection, features: Floats) -> Floats:
    return features @ projection.weights.T + projection.bias


def quantisation_error(rotated: NDArray[Any]) -> float:
    """`mean ||sign(V R) − V R||²`."""
    return float(np.square(np.where(rotated >= 0, 1.0, -1.0) - rotated).sum(axis=1).mean())


def rotated(projection: ItqProjection, features: Floats) -> Floats:
    """V R: the logits without the factor that all weights share."""
    return logits(projection, features) / np.linalg.norm(projection.weights[0])


@given(
    seed=st.integers(0, 1000), bits=st.integers(1, 12), scale=st.sampled_from([0.01, 1.0, 100.0])
)
@settings(max_examples=15, deadline=None)
def test_no_iteration_raises_the_quantisation_error(seed: int, bits: int, scale: float) -> None:
    features = clustered(seed, 60, 12) * np.float32(scale)
    errors = [
        quantisation_error(rotated(fit_itq(features, bits=bits, iterations=i), features))
        for i in range(8)
    ]
    assert np.all(np.diff(errors) <= 1e-4 * errors[0]), errors


def test_it_comes_to_rest_under_where_it_began() -> None:
    features = clustered(1, 400, 32)
    first, last = (
        quantisation_error(rotated(fit_itq(features, bits=16, iterations=i), features))
        for i in (0, 50)
    )
    assert last < 0.95 * first


def test_the_rows_are_the_principal_directions_rotated() -> None:
    features = clustered(2, 300, 24)
    weights = fit_itq(features, bits=8).weights.astype(np.float64)
    gram = weights @ weights.T
    np.testing.assert_allclose(gram / gram[0, 0], np.eye(8), atol=1e-5)
    covariance = np.cov(features.astype(np.float64).T)
    kept = np.trace(weights @ covariance @ weights.T) / gram[0, 0]
    assert kept == pytest.approx(np.linalg.eigvalsh(covariance)[-8:].sum(), rel=1e-4)


def of_the_paper(projected: Floats, iterations: int, seed: int) -> Floats:
    """V R by the paper's two steps: `B = sgn(V R)`; `B'V = S Omega S_hat'`, `R = S_hat S'`."""
    size = projected.shape[1]
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))[0]
    for _ in range(iterations):
        codes = np.sign(projected @ rotation)
        s, _, s_hat_transposed = np.linalg.svd(codes.T @ projected)
        rotation = s_hat_transposed.T @ s.T
    return np.asarray(projected @ rotation, np.float32)


@pytest.mark.parametrize("bits", [8, 16])
def test_it_quantises_as_well_as_the_paper_and_no_worse_than_faiss(bits: int) -> None:
    features = clustered(3, 500, 32)
    centred = features - features.mean(axis=0)
    directions = np.linalg.svd(centred, full_matrices=False)[2][:bits]
    size = float(centred.std())
    projected = np.ascontiguousarray(centred @ directions.T / size, np.float32)
    ours, paper, peer = [], [], []
    for seed in range(8):
        projection = fit_itq(features, bits=bits, seed=seed)
        ours.append(quantisation_error(rotated(projection, features) / size))
        paper.append(quantisation_error(of_the_paper(projected, 50, seed)))
        # Its update multiplies U by V where the Procrustes solution has V transposed, and its error
        # stays above the paper's: a bound, and no twin.
        matrix = faiss.ITQMatrix(bits)
        matrix.seed = seed
        matrix.train(projected)
        peer.append(quantisation_error(matrix.apply(projected)))
    assert np.mean(ours) == pytest.approx(np.mean(paper), rel=0.02)
    assert np.mean(ours) < np.mean(peer)


def test_each_bit_parts_the_clips_and_clusters_get_codes_of_their_own() -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(200) % 5
    centres = 8 * generator.standard_normal((5, 64))
    features = (centres[labels] + generator.standard_normal((200, 64))).astype(np.float32)
    codes = logits(fit_itq(features, bits=32), features) >= 0
    distances = (codes[:, None] != codes[None]).sum(axis=2)
    same = labels[:, None] == labels[None]
    assert distances[~same].mean() > 3 * distances[same].mean()
    assert np.all((codes.mean(axis=0) > 0) & (codes.mean(axis=0) < 1))


def test_relaxed_bits_fill_the_range_and_have_the_same_code() -> None:
    for scale in (1e-3, 1.0, 1e3):
        features = clustered(5, 200, 32) * np.float32(scale)
        values = logits(fit_itq(features, bits=16), features)
        assert float(np.sqrt(np.square(values).mean())) == pytest.approx(2, rel=1e-3)
        relaxed = 1 / (1 + np.exp(-values))
        np.testing.assert_array_equal(BinaryCodes.from_relaxed(relaxed).unpack(), values >= 0)


def test_the_same_arguments_give_the_same_projection_and_another_seed_another() -> None:
    features = clustered(6, 50, 16)
    first, again, other = (fit_itq(features, bits=12, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.weights, again.weights)
    np.testing.assert_array_equal(first.bias, again.bias)
    assert not np.allclose(first.weights, other.weights)


def test_more_bits_than_directions_come_in_blocks_of_their_own_rotation() -> None:
    features = clustered(7, 21, 40)  # 20 directions
    projection = fit_itq(features, bits=50)
    weights = projection.weights / np.linalg.norm(projection.weights[0])
    for block in (weights[:20], weights[20:40], weights[40:]):
        np.testing.assert_allclose(block @ block.T, np.eye(len(block)), atol=1e-5)
    codes = (logits(projection, features) >= 0).T
    assert len({tuple(column) for column in codes.tolist()}) > 40


def test_512_bits_of_a_hundred_clips_tell_them_apart() -> None:
    features = clustered(8, 100, 1280)
    codes = logits(fit_itq(features, bits=512, iterations=5), features) >= 0
    assert len({tuple(code) for code in codes.tolist()}) == 100


def test_two_clips_get_opposite_codes() -> None:
    features = clustered(9, 2, 30)
    codes = logits(fit_itq(features, bits=40), features) >= 0
    assert np.all(codes[0] != codes[1])


@pytest.mark.parametrize(
    "features",
    [
        clustered(10, 1, 30),
        np.full((9, 30), 1 / 3, np.float32),
        np.repeat(clustered(11, 1, 30), 7, axis=0),
        np.zeros((4, 30), np.float32),
    ],
    ids=["one clip", "one number", "equal clips", "zeros"],
)
def test_features_that_do_not_spread_give_planes_that_part_clips_to_come(features: Floats) -> None:
    projection = fit_itq(features, bits=64)
    np.testing.assert_allclose(np.linalg.norm(projection.weights, axis=1), 1, rtol=1e-5)
    to_come = features[0] + clustered(12, 20, 30) - 5
    codes = logits(projection, to_come) >= 0
    assert np.all(codes.any(axis=0) & ~codes.all(axis=0))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"bits": 0}, ConfigError, "1 bit or more and 0 iterations or more, got 0 and 50"),
        ({"iterations": -1}, ConfigError, "got 8 and -1"),
        ({"features": np.zeros((0, 4), np.float32)}, DataError, r"float32 \[0, 4\]"),
        ({"features": np.zeros((2, 3, 4), np.float32)}, DataError, r"float32 \[2, 3, 4\]"),
        ({"features": np.zeros((5, 4))}, DataError, r"got float64 \[5, 4\]"),
        ({"features": np.full((5, 4), np.nan, np.float32)}, DataError, "NaN or infinity"),
    ],
)
def test_what_it_can_not_fit_is_refused(
    options: dict[str, Any], error: type[BitreelError], words: str
) -> None:
    arguments: dict[str, Any] = {"features": clustered(0, 5, 4), "bits": 8}
    with pytest.raises(error, match=words):
        fit_itq(**(arguments | options))


def test_a_projection_checks_itself() -> None:
    weights, bias = np.zeros((3, 2), np.float32), np.zeros(3, np.float32)
    with pytest.raises(ValueError, match="a bias for each of 3 bits, got 2"):
        ItqProjection(weights, bias[:2])
    with pytest.raises(ValueError, match="weights float32"):
        ItqProjection(weights.astype(np.float64), bias)
