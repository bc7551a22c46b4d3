"""The threads that all searches share."""

from __future__ import annotations

from threading import Event, get_ident

from bitreel.search.threads import available_threads, in_threads, slices


def test_results_stand_in_the_order_of_the_parts() -> None:
    assert in_threads(lambda part: part * part, range(50)) == [part * part for part in range(50)]
    assert in_threads(lambda part: part, []) == []


def test_whoever_calls_does_what_no_other_thread_has_begun() -> None:
    """Each of the shared threads is held up until the caller of another search is done."""
    done = Event()
    caller = get_ident()

    def hold_up(part: int) -> list[int]:
        if part:
            assert done.wait(60)
            return []
        ran_by = in_threads(lambda _: get_ident(), range(5))
        done.set()
        return ran_by

    assert in_threads(hold_up, range(1 + available_threads()))[0] == [caller] * 5


def test_slices_cover_the_length_and_are_cut_at_steps() -> None:
    assert slices(10, 3) == [(0, 4), (4, 8), (8, 10)]
    assert slices(10, 3, step=8) == [(0, 8), (8, 10)]
    assert slices(0, 3) == [(0, 0)]
