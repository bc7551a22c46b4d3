"""The CSV manifest: what it accepts, and the line and column it names when it refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitreel.dataset import Example, open_dataset, write_manifest
from bitreel.dataset.example import Split
from bitreel.errors import DataError, LeakageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clips").mkdir()
    for name in "abcdefgh":
        (tmp_path / "clips" / f"{name}.mp4").touch()
    return tmp_path


def manifest(folder: Path, text: str, *, encoding: str = "utf-8") -> Path:
    path = folder / "manifest.csv"
    path.write_bytes(text.encode(encoding))
    return path


FULL = """path,label,group,split
clips/a.mp4,run,1,database
clips/b.mp4,run,2,query
clips/c.mp4,walk,3,train
clips/d.mp4,walk,4,test
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_full_manifest(folder: Path, encoding: str, newline: str) -> None:
    dataset = open_dataset(manifest(folder, FULL.replace("\n", newline), encoding=encoding))
    assert dataset.examples == (
        Example(folder / "clips" / "a.mp4", "run", "1", "database"),
        Example(folder / "clips" / "b.mp4", "run", "2", "query"),
        Example(folder / "clips" / "c.mp4", "walk", "3", "database"),
        Example(folder / "clips" / "d.mp4", "walk", "4", "query"),
    )
    assert dataset.name == folder.name
    assert open_dataset(folder) == dataset


def test_columns_in_any_order_with_others_beside_them(folder: Path) -> None:
    text = "note,Split, label ,path\nx,query,läuft, clips/a.mp4\n\n,database,geht,clips/b.mp4\n"
    dataset = open_dataset(manifest(folder, text.replace(" clips", "clips")))
    assert [(one.label, one.split) for one in dataset.examples] == [
        ("läuft", "query"),
        ("geht", "database"),
    ]
    assert [one.group for one in dataset.examples] == ["clips/a", "clips/b"]


def test_absolute_paths(folder: Path) -> None:
    text = f"path,label\n{folder / 'clips' / 'a.mp4'},run\n"
    assert open_dataset(manifest(folder, text)).examples[0].path == folder / "clips" / "a.mp4"


def test_without_a_split_a_quarter_of_every_class_asks_by_whole_groups(folder: Path) -> None:
    rows = "".join(f"clips/{name}.mp4,run,{'abcdefgh'.index(name) // 2}\n" for name in "abcdefgh")
    dataset = open_dataset(manifest(folder, "path,label,group\n" + rows))
    assert len(dataset.query) == 2
    assert len({example.group for example in dataset.query}) == 1


REFUSED = {
    "line 1: the column label is missing (found: path, split)": "path,split\nclips/a.mp4,query\n",
    "line 1: the column path is missing (found: nothing)": "",
    "line 1: the column path is missing (found: path;label)": "path;label\nclips/a.mp4;run\n",
    "line 1: the column label comes twice": "path,label,label\nclips/a.mp4,run,run\n",
    "line 3: the column label is empty": "path,label\nclips/a.mp4,run\nclips/b.mp4, \n",
    "line 2: the column path is empty": "path,label\n,run\n",
    "line 4, column split: 'val' is unknown": FULL.replace("train", "val"),
    "line 2, column split: '' is unknown": "path,label,split\nclips/a.mp4,run\n",
    "line 2: 3 cells under 2 columns": "path,label\nclips/a,b.mp4,run\n",
    "line 4, column path: {0}/clips/a.mp4 stands already in line 2": FULL.replace("c.mp4", "a.mp4"),
    "line 3, column path: {0}/clips/a.mp4 stands already in line 2": (
        "path,label\nclips/a.mp4,run\nclips/../clips/a.mp4,walk\n"
    ),
    "column path: 1 of 4 files are not there (line 3: {0}/clips/x.mp4)": FULL.replace("b.", "x."),
    "lists no videos": "path,label\n",
    "this is no CSV": 'path,label\n"clips/a.mp4"x,run\n',
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_wrong_is_named_with_line_and_column(folder: Path, message: str) -> None:
    path = manifest(folder, REFUSED[message])
    with pytest.raises(DataError, match=re.escape(message.format(folder))) as caught:
        open_dataset(path)
    assert str(path) in str(caught.value)


def test_many_missing_files_are_counted_and_a_few_named(folder: Path) -> None:
    rows = "".join(f"gone/{number}.mp4,run\n" for number in range(9))
    with pytest.raises(DataError, match="9 of 9 files are not there") as caught:
        open_dataset(manifest(folder, "path,label\n" + rows))
    assert "gone/2.mp4 and 6 more" in str(caught.value)
    assert "gone/3.mp4" not in str(caught.value)


def test_the_line_named_counts_the_lines_of_the_file(folder: Path) -> None:
    text = 'path,label\n\nclips/a.mp4,"two\nlines"\n\nclips/b.mp4,\n'
    with pytest.raises(DataError, match="line 6: the column label"):
        open_dataset(manifest(folder, text))


def test_another_encoding_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="not UTF-8"):
        open_dataset(manifest(folder, "path,label\nclips/a.mp4,läuft\n", encoding="latin-1"))


def test_a_group_on_both_sides_is_refused(folder: Path) -> None:
    with pytest.raises(LeakageError, match=r"1 groups stand on both sides of the split: 1\."):
        open_dataset(manifest(folder, FULL.replace(",2,", ",1,")))


texts = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cc"]), min_size=1
).map(str.strip)


@settings(max_examples=30)  # each writes files
@given(st.lists(st.tuples(texts.filter(bool), st.sampled_from(["database", "query"])), min_size=1))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, Split]]
) -> None:
    folder = tmp_path_factory.mktemp("written")
    examples = []
    for number, (text, split) in enumerate(rows):
        path = folder / f'{number}, "{"é" * number}.mp4'
        path.touch()
        examples.append(Example(path, text, f"{number} {text}", split))
    write_manifest(folder / "my.csv", examples, extra={"note, really": ['"'] * len(rows)})
    dataset = open_dataset(folder / "my.csv")
    assert dataset.examples == tuple(examples)
    assert dataset.name == "my"


def test_writing_leaves_nothing_half_done(folder: Path) -> None:
    bad = Example(folder / "\udcff.mp4", "run", "1", "database")
    with pytest.raises(DataError, match="Rename that file"):
        write_manifest(folder / "new.csv", [bad])
    assert sorted(path.name for path in folder.iterdir()) == ["clips"]
    outside = Example(folder / "clips" / "a.mp4", "run", "1", "database")
    (folder / "lists").mkdir()
    write_manifest(folder / "lists" / "new.csv", [outside])
    assert open_dataset(folder / "lists" / "new.csv").examples == (outside,)
