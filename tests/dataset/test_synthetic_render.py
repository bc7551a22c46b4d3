"""The pictures of a synthetic clip: true motions, exact reversals, nothing given away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitreel.dataset.synthetic import EASY, HARD, Difficulty
from bitreel.dataset.synthetic.looks import (
    BACKGROUNDS,
    CLASS_LOOKS,
    LOOKS,
    QUERY_LOOKS,
    SHAPES,
    TEXTURES,
    Look,
    draw_background,
    draw_sprite,
)
from bitreel.dataset.synthetic.motions import (
    MOTIONS,
    REVERSAL_OF,
    SCALES,
    Start,
    track,
)
from bitreel.dataset.synthetic.render import Scene, render_clip
from bitreel.errors import ConfigError

SIZE = (120, 160)
QUIET = Difficulty(noise=0, background_contrast=0)
FORWARD = [motion for motion in MOTIONS if motion not in REVERSAL_OF]

share = st.floats(0, 1, exclude_max=True)
starts = st.builds(Start, share, share, share, share, share, share)


def scene(start: Start | None = None, *, seed: int = 0) -> Scene:
    return Scene(start or Start(0.8, 0.6, 0.1, 0.1, 0.3, 0.5), "stripes", 1, 0, (seed,))


def quiet_clip(motion: str, start: Start | None = None) -> NDArray[np.uint8]:
    return render_clip(motion, Look("halved", "disc"), scene(start), difficulty=QUIET)


def sprite_of(frame: NDArray[np.uint8]) -> tuple[float, float, int]:
    """Centre (x, y) and number of the pixels that are not the plain background."""
    ground = np.array([0xDF, 0xE8, 0xEC])
    y, x = np.nonzero(np.abs(frame.astype(int) - ground).max(axis=2) > 60)
    return float(x.mean()), float(y.mean()), len(x)


def slope(values: list[float]) -> float:
    return float(np.polyfit(np.arange(len(values)), values, 1)[0])


@pytest.mark.parametrize("difficulty", [EASY, HARD, QUIET], ids=["easy", "hard", "quiet"])
@pytest.mark.parametrize(("reversal", "motion"), REVERSAL_OF.items())
def test_a_pair_is_the_same_frames_in_opposite_order(
    reversal: str, motion: str, difficulty: Difficulty
) -> None:
    look = Look("dotted", "star")
    clips = [render_clip(name, look, scene(), difficulty=difficulty) for name in (motion, reversal)]
    assert clips[0].dtype == np.uint8
    assert clips[0].shape == (32, 120, 160, 3)
    np.testing.assert_array_equal(clips[0], clips[1][::-1])
    assert np.any(clips[0] != clips[1])


@pytest.mark.parametrize(
    ("motion", "axis", "sign"),
    [("left", 0, -1), ("right", 0, 1), ("up", 1, -1), ("down", 1, 1)],
)
def test_a_sprite_goes_where_its_motion_says(motion: str, axis: int, sign: int) -> None:
    # From 0.9 the way leads through the middle and ends before the loop closes.
    places = [sprite_of(frame) for frame in quiet_clip(motion, Start(0.9, 0.9, 0.1, 0.1, 0.3, 0.5))]
    assert sign * slope([place[axis] for place in places]) > 1.5  # pixels a frame
    across = [place[1 - axis] for place in places]
    assert max(across) - min(across) < 3


def test_zooming_in_grows_and_zooming_out_shrinks() -> None:
    sizes = [sprite_of(frame)[2] for frame in quiet_clip("zoom_in")]
    falls = [number for number in range(1, 32) if sizes[number] < sizes[number - 1]]
    assert len(falls) == 1  # where the zoom begins again
    assert max(sizes) > 2.5 * min(sizes)


def test_rotating_clockwise_turns_clockwise_on_the_screen() -> None:
    angles = []
    for frame in quiet_clip("rot_cw"):
        light = (frame > [200, 180, 150]).all(axis=2) & (frame[..., 2] < 222)  # the cream half
        y, x = np.nonzero(light)
        centre = sprite_of(frame)
        angles.append(np.arctan2(y.mean() - centre[1], x.mean() - centre[0]))
    turned = np.degrees(np.unwrap(angles))
    assert np.all(np.diff(turned) > 3)  # y points down, so a growing angle is clockwise
    assert 150 < turned[-1] - turned[0] < 250


def test_orbiting_clockwise_goes_round_clockwise() -> None:
    places = np.array([sprite_of(frame)[:2] for frame in quiet_clip("orbit_cw")])
    x, y = (places - (places.max(axis=0) + places.min(axis=0)) / 2).T
    assert np.all(np.diff(np.unwrap(np.arctan2(y, x))) > 0)


def test_oscillate_and_bounce_come_back() -> None:
    for motion, axis in (("oscillate", 0), ("bounce", 1)):
        values = [sprite_of(frame)[axis] for frame in quiet_clip(motion)]
        turns = np.count_nonzero(np.diff(np.sign(np.diff(values))))
        assert turns >= 2
        assert max(values) - min(values) > 30


@given(starts, st.sampled_from(FORWARD), st.integers(0, 4))
@settings(max_examples=30)
def test_the_place_of_a_sprite_hints_at_no_motion(start: Start, motion: str, frame: int) -> None:
    """Over evenly spread starts, the places in any frame are spread evenly round the loop."""
    count = 50
    for axis, side in enumerate(("across", "down")):
        tracks = [
            track(motion, replace(start, **{side: part}), frames=5, size=SIZE)
            for part in (np.arange(count) + 0.5) / count
        ]
        loop = tracks[0].loop[axis]
        places = np.sort([(path.x, path.y)[axis][frame] for path in tracks])
        assert np.allclose(np.diff(places), loop / count)
        assert places[0] >= (SIZE[1 - axis] - loop) / 2 - 1e-6


GOES_ROUND = {
    "left": "across",
    "up": "down",
    "rot_cw": "turn",
    "zoom_in": "scale",
    "orbit_cw": "phase",
}


@given(starts, st.sampled_from(sorted(set(REVERSAL_OF.values()))))
@settings(max_examples=20)
def test_no_single_frame_tells_the_two_of_a_pair_apart(start: Start, motion: str) -> None:
    """Over evenly spread starts, frame t of a motion and of its reversal are spread alike."""
    count, frames = 200, 5
    tracks = [
        track(motion, replace(start, **{GOES_ROUND[motion]: part}), frames=frames, size=SIZE)
        for part in (np.arange(count) + 0.5) / count
    ]
    for name, span in (("x", SIZE[1]), ("y", SIZE[0]), ("angle_degrees", 360), ("scale", 1)):
        values = np.array([getattr(path, name) for path in tracks])
        if name in ("x", "y"):  # from the place where it starts: a loop has no ends
            loop = tracks[0].loop["xy".index(name)]
            begins = {"x": start.across, "y": start.down}[name] * loop
            values = (values - begins + loop / 2) % loop
        spread = np.sort(values % 360, axis=0)
        assert np.abs(spread - spread[:, ::-1]).max() < 0.02 * span


@given(st.sampled_from(MOTIONS), starts, st.sampled_from(LOOKS), st.integers(0, 3))
@settings(max_examples=15)
def test_the_same_scene_gives_the_same_frames(
    motion: str, start: Start, look: Look, seed: int
) -> None:
    first, second = (
        render_clip(motion, look, scene(start, seed=seed), frames=4, size=(64, 80))
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_backgrounds_follow_their_contrast(kind: str) -> None:
    spreads = [
        draw_background(kind, colours=0, size=SIZE, contrast=contrast, rng=np.random.default_rng(0))
        .std(axis=(0, 1))
        .max()
        for contrast in (0.0, 0.25, 1.0)
    ]
    assert 0 == spreads[0] < 3 < spreads[1] < spreads[2] / 3


def test_jitter_shakes_and_flicker_flickers() -> None:
    still, shaken, lit = (
        render_clip("rot_cw", LOOKS[0], scene(), difficulty=difficulty).astype(int)
        for difficulty in (
            replace(QUIET, background_contrast=0.5),
            replace(QUIET, background_contrast=0.5, jitter_pixels=3.0),
            replace(QUIET, background_contrast=0.5, flicker=0.1),
        )
    )
    corner = np.s_[:, :20, :20]  # where the sprite is not
    assert np.ptp(still[corner], axis=0).max() == 0
    assert np.ptp(shaken[corner], axis=0).max() > 20
    assert lit.mean(axis=(1, 2, 3)).std() > 3


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_quarter_turn_shows_in_every_look(look: Look) -> None:
    drawn = draw_sprite(look, colours=0, radius=24).convert("RGBa")
    pictures = [np.asarray(drawn.rotate(angle), int) for angle in (0, 90)]
    assert np.abs(pictures[0] - pictures[1]).mean() > 10


def test_looks_of_queries_and_of_classes_cover_all_textures_and_shapes() -> None:
    assert len(LOOKS) == len(set(LOOKS)) == 30
    assert len(set(QUERY_LOOKS)) == 8
    known = set(LOOKS) - set(QUERY_LOOKS)
    for looks in (known, set(CLASS_LOOKS)):
        assert {look.texture for look in looks} == set(TEXTURES)
        assert {look.shape for look in looks} == set(SHAPES)
    assert len(set(CLASS_LOOKS)) == 12 == len(MOTIONS)
    assert SCALES[0] < SCALES[1]


def test_an_unknown_motion_and_a_difficulty_out_of_range_are_refused() -> None:
    with pytest.raises(KeyError, match="jump"):
        track("jump", scene().start, frames=4, size=SIZE)
    with pytest.raises(ConfigError, match="noise=-1"):
        Difficulty(noise=-1)
    with pytest.raises(ConfigError, match="at most 1"):
        Difficulty(background_contrast=1.5)
