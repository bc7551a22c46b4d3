"""`bitreel search`: hits, a range of the query, a contact sheet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from bitreel.library import Library
from bitreel.model import Model
from command_line import Trained, bitreel

HIT_KEYS = {"path", "start_seconds", "end_seconds", "distance_bits", "similarity", "label"}
HIT_KEYS |= {"asymmetric_bits"}
ANSWER_KEYS = {"query", "start_seconds", "end_seconds", "query_segments", "damage", "hits"}


def test_the_answer(trained: Trained) -> None:
    answer = bitreel("search", trained.library, trained.query, "--json").json
    assert set(answer) == ANSWER_KEYS
    assert (answer["start_seconds"], answer["end_seconds"]) == (0, pytest.approx(0.48))
    assert answer["query_segments"] == 1
    assert answer["query"] == str(trained.query.resolve())
    assert answer["damage"] is None
    assert len(answer["hits"]) == 10
    for hit in answer["hits"]:
        assert set(hit) == HIT_KEYS
        assert Path(hit["path"]).is_file()
        assert hit["label"] == Path(hit["path"]).parent.name
        assert 0 <= hit["start_seconds"] < hit["end_seconds"]
        assert hit["similarity"] == pytest.approx(1 - hit["distance_bits"] / 16)
    distances = [hit["distance_bits"] for hit in answer["hits"]]
    assert distances == sorted(distances)


def test_reranked_hits_are_ordered_by_the_asymmetric_distance(trained: Trained) -> None:
    hits = bitreel("search", trained.library, trained.query, "--rerank", "--json").json["hits"]
    distances = [hit["asymmetric_bits"] for hit in hits]
    assert distances == sorted(distances)
    assert all(
        hit["similarity"] == pytest.approx(1 - d / 16)
        for hit, d in zip(hits, distances, strict=True)
    )
    shown = bitreel("search", trained.library, trained.query, "--rerank").out
    assert f"{distances[0]:.1f}" in shown


def test_the_answer_is_that_of_the_library(trained: Trained) -> None:
    hits = bitreel("search", trained.library, trained.query, "-k", 7, "--json").json["hits"]
    with Library.open(trained.library) as library:
        expected = library.search(trained.query, k=7).hits
    assert [(hit["path"], hit["distance_bits"]) for hit in hits] == [
        (str(hit.path), hit.distance_bits) for hit in expected
    ]


def test_only_some_videos_are_answered(trained: Trained, tmp_path: Path) -> None:
    ask = ("search", trained.library, trained.query, "-k", 100)
    labels = [hit["label"] for hit in bitreel(*ask, "--json").json["hits"]]
    label = labels[0]
    one = bitreel(*ask, "--label", label, "--json").json["hits"]
    assert [hit["label"] for hit in one] == [label] * labels.count(label)
    place = Path(one[0]["path"])
    link = tmp_path / "link"
    link.symlink_to(place.parent)
    below = bitreel(*ask, "--folder", link, "--json").json["hits"]
    assert {Path(hit["path"]).parent for hit in below} == {place.parent}
    named = bitreel(*ask, "--text", place.name.upper(), "--folder", link, "--json").json["hits"]
    assert [hit["path"] for hit in named] == [str(place)]
    told = bitreel(*ask, "--label", "nonsense").out
    assert "No other video of the library fits" in told


@pytest.mark.parametrize(("k", "found"), [(1, 1), (48, 48), (1000, 48)])
def test_as_many_hits_as_asked_and_there(trained: Trained, k: int, found: int) -> None:
    for option in ("-k", "--top"):
        words = ("search", trained.library, trained.query, option, k, "--json")
        assert len(bitreel(*words).json["hits"]) == found


def test_a_video_of_the_library_finds_itself_unless_told_not_to(trained: Trained) -> None:
    own = trained.query.with_name("scene0000.mp4")
    words = ("search", trained.library, own, "-k", 48, "--json")
    with_itself = bitreel(*words).json["hits"]
    assert [hit["distance_bits"] for hit in with_itself if hit["path"] == str(own)] == [0]
    without = bitreel(*words, "--exclude-self").json["hits"]
    assert without == [hit for hit in with_itself if hit["path"] != str(own)]


def test_a_range_of_the_query(trained: Trained, tmp_path: Path) -> None:
    words = ("search", trained.library, trained.query, "--start", 0.2, "--end", 0.4, "-k", 48)
    answer = bitreel(*words, "--json").json
    with Library.open(trained.library) as library:
        expected = library.search(trained.query, k=48, start_seconds=0.2, end_seconds=0.4).hits
    assert [hit["distance_bits"] for hit in answer["hits"]] == [h.distance_bits for h in expected]
    whole = bitreel("search", trained.library, trained.query, "-k", 48, "--json").json
    assert whole["query"] == answer["query"]


@pytest.mark.parametrize(
    "words",
    [
        ["--start", "0.4", "--end", "0.2"],
        ["--start", "99"],
        ["--start", "0.2", "--end", "0.2"],
        ["--end", "-1"],
        ["--end", "nan"],
    ],
    ids=str,
)
def test_a_range_that_is_none(trained: Trained, words: list[str]) -> None:
    error = bitreel("search", trained.library, trained.query, *words).error
    assert error.endswith(".")


@pytest.mark.parametrize(
    "words", [["-k", "0"], ["-k", "many"], ["--start", "-1"], ["--end"]], ids=str
)
def test_what_the_parser_refuses_ends_with_2(trained: Trained, words: list[str]) -> None:
    assert bitreel("search", trained.library, trained.query, *words).code == 2


def test_a_contact_sheet(trained: Trained, tmp_path: Path) -> None:
    sheet = tmp_path / "hits.png"
    words = ("search", trained.library, trained.query, "-k", 3, "--sheet", sheet)
    ran = bitreel(*words)
    assert f"Contact sheet: {sheet}" in ran.err
    with Image.open(sheet) as picture:
        assert picture.height > 4 * 120  # the query and three hits
    assert len(bitreel(*words, "--json").json["hits"]) == 3  # and JSON stays JSON


@pytest.mark.parametrize("name", ["hits.nonsense", "hits", "gone/hits.png", "."])
def test_a_sheet_that_can_not_be_written(trained: Trained, tmp_path: Path, name: str) -> None:
    words = ("search", trained.library, trained.query, "--sheet", tmp_path / name)
    ran = bitreel(*words, "--json")
    assert ran.code == 1
    assert f"The contact sheet {tmp_path / name} can not be written" in ran.err
    assert "name a .png or .jpg file in a folder that is there" in ran.err
    assert json.loads(ran.out)["hits"]  # the answer is not lost


def test_people_get_a_table(trained: Trained) -> None:
    printed = bitreel("search", trained.library, trained.query, "-k", 2).out
    assert "(of 16 bits)" in printed
    assert "0.0–0.5" in printed
    assert [line for line in printed.splitlines() if line.startswith(("│ 1 │", "│ 2 │"))]


def test_an_empty_library(trained: Trained, tmp_path: Path) -> None:
    library = tmp_path / "library"
    Library.create(library, Model.load(trained.model)).close()
    assert bitreel("search", library, trained.query, "--json").json["hits"] == []
    assert "holds no other videos" in bitreel("search", library, trained.query).out


def test_names_with_brackets_and_colons_are_printed_as_they_are(
    trained: Trained, tmp_path: Path
) -> None:
    """They are markup and pictures to the library that prints."""
    place = tmp_path / "x[" / "b]:fire:[bold].mp4"  # with the folder's: a closing tag
    place.parent.mkdir()
    place.write_bytes(trained.query.read_bytes())
    (tmp_path / "x[" / "junk[red].mp4").write_bytes(b"junk")
    library = tmp_path / "library"
    ran = bitreel("index", library, tmp_path, "--model", trained.model)
    assert ran.code == 0
    assert "junk[red].mp4" in ran.err
    printed = bitreel("search", library, place).out
    cells = [line.split("│")[-2].strip() for line in printed.splitlines() if "│" in line]
    assert "x[/b]:fire:[bold].mp4" in "".join(cells)
    assert "x[" in printed
    assert "junk[red].mp4" in bitreel("status", library).out
    assert bitreel("search", tmp_path / "x[/b]", place).error.startswith(
        f"There is no library at {tmp_path / 'x['}/b]"
    )


def test_a_name_that_is_no_text_survives_json(trained: Trained, tmp_path: Path) -> None:
    name = tmp_path / "half\udcff.mp4"
    name.write_bytes(trained.query.read_bytes())
    library = tmp_path / "library"
    assert bitreel("index", library, tmp_path, "--model", trained.model).code == 0
    ran = bitreel("search", library, name, "--json")
    assert ran.json["query"] == str(name)
    assert json.loads(ran.out)["hits"][0]["path"] == str(name)
    assert bitreel("search", library, name).code == 0
    assert bitreel("search", library, name, "--sheet", tmp_path / "sheet.png").code == 0
