"""Files of codes from elsewhere: what they hold, and that a bad one ends in one clear error."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError
from bitreel.evaluation import CodeFile


def codes_of(seed: int, n: int, bits: int) -> BinaryCodes:
    return BinaryCodes.from_bits(np.random.default_rng(seed).random((n, bits)) < 0.5)


def arrays(**changed: Any) -> dict[str, Any]:
    """The arrays of a good file of 3 queries and 5 codes of 16 bits, some of them changed."""
    good = {
        "query_codes": codes_of(1, 3, 16).packed,
        "database_codes": codes_of(2, 5, 16).packed,
        "query_labels": np.array(["a", "b", "a"]),
        "database_labels": np.array(["a", "b", "c", "a", "b"]),
    }
    return {key: value for key, value in {**good, **changed}.items() if value is not None}


def refusal(path: Path) -> str:
    with pytest.raises(CodesError) as caught:
        CodeFile.load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("bits", [1, 13, 64, 100])
@pytest.mark.parametrize(
    "labels", [np.array(["ä", "b", "long label"]), np.array([3, -1, 2]), np.array([1, 2, 3], "u1")]
)
def test_a_saved_file_loads_as_it_was(tmp_path: Path, bits: int, labels: np.ndarray[Any]) -> None:
    query, database = codes_of(1, 3, bits), codes_of(2, 5, bits)
    path = tmp_path / "codes without suffix"
    CodeFile(query, labels, database, labels[[0, 1, 2, 0, 1]]).save(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    file = CodeFile.load(path)
    assert file.query.bits == file.database.bits == bits
    np.testing.assert_array_equal(file.query.packed, query.packed)
    np.testing.assert_array_equal(file.database.packed, database.packed)
    assert file.query_labels.tolist() == labels.tolist()
    assert file.database_labels.tolist() == labels[[0, 1, 2, 0, 1]].tolist()


def test_saving_replaces_a_file(tmp_path: Path) -> None:
    path = tmp_path / "codes.npz"
    for bits in (8, 24):
        codes = codes_of(1, 2, bits)
        CodeFile(codes, np.arange(2), codes, np.arange(2)).save(path)
        assert CodeFile.load(path).query.bits == bits


def test_without_bits_a_byte_is_8_bits_and_other_arrays_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "codes.npz"
    np.savez(path, **arrays(names=np.array(["x"]), relaxed=np.zeros((3, 16), np.float16)))
    assert CodeFile.load(path).database.bits == 16


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"query_codes": None}, "lacks query_codes"),
        ({"database_labels": None, "query_labels": None}, "lacks database_labels, query_labels"),
        ({"query_codes": codes_of(1, 3, 24).packed}, "query_codes: Expected packed codes"),
        ({"query_codes": np.zeros((3, 2))}, "query_codes: .* got float64"),
        ({"database_codes": np.zeros(5, np.uint8)}, r"database_codes packed .* got \[5\]"),
        ({"database_codes": np.zeros((5, 0), np.uint8)}, "at least 1 bit"),
        ({"database_codes": np.ones((5, 16), np.uint8)}, "one bit in each byte"),
        ({"query_labels": np.array(["a", "b"])}, r"query labels \[3\].* got \[2\]"),
        ({"database_labels": np.zeros((5, 1), int)}, r"database labels \[5\].* got \[5, 1\]"),
        ({"query_labels": np.zeros(3)}, "integers or strings, got float64"),
        ({"bits": np.array(12)}, "4 padding bits"),
        ({"bits": np.array(17)}, "for 17 bits"),
        ({"bits": np.array(16.0)}, "one whole number, got float64"),
        ({"bits": np.array([16, 16])}, "one whole number"),
        ({"bits": np.array(0)}, "at least 1 bit"),
        ({"query_labels": np.array(["a", 1, None], object)}, "Object arrays"),
        ({"bits": np.array([{"run": "me"}], object)}, "Object arrays"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(
    tmp_path: Path, changed: dict[str, Any], cause: str
) -> None:
    path = tmp_path / "codes.npz"
    np.savez(path, **arrays(**changed))
    with pytest.raises(CodesError, match=cause):
        CodeFile.load(path)
    refusal(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "is not there" in refusal(tmp_path / "none.npz")
    assert "is no file" in refusal(tmp_path)


@pytest.mark.parametrize("kind", ["empty", "text", "npy", "pickle", "other zip"])
def test_what_is_no_npz_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "codes.npz"
    if kind == "npy":
        with path.open("wb") as file:
            np.save(file, np.zeros((3, 8), np.uint8))
    elif kind == "other zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.txt", "hello")
    else:
        path.write_bytes({"empty": b"", "text": b"a,b\n", "pickle": b"\x80\x04N."}[kind])
    refusal(path)


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.npz", tmp_path / "cut.npz"
    np.savez_compressed(whole, **arrays())
    content = whole.read_bytes()
    for length in range(0, len(content) - 1, 7):
        path.write_bytes(content[:length])
        refusal(path)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), compressed=st.booleans())
def test_flipped_bytes_give_a_file_of_codes_or_one_clear_error(
    tmp_path: Path, data: st.DataObject, compressed: bool
) -> None:
    path = tmp_path / "codes.npz"
    (np.savez_compressed if compressed else np.savez)(path, **arrays(bits=np.array(16)))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        bits = CodeFile.load(path).database.bits
    except CodesError as error:
        message = str(error)
    else:
        assert bits == 16  # only what nobody reads was changed
        return
    assert str(path) in message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"(5, 2), }       ", b"(5000000000000, 2), }"),  # more than any memory
        (b"(5, 2), }   ", b"(5, 2), }  ("),  # no Python literal
        (b"|u1", b"|V1"),
        (b"|u1", b"|O "),
        (b"NUMPY", b"LUMPY"),  # numpy then gives bytes in place of an array
    ],
)
def test_a_damaged_array_in_a_sound_archive_is_refused(
    tmp_path: Path, old: bytes, new: bytes
) -> None:
    path = tmp_path / "codes.npz"
    np.savez(path, **arrays())
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    whole = members["database_codes.npy"]
    members["database_codes.npy"] = whole.replace(old, new)[: len(whole)]
    assert members["database_codes.npy"] != whole
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    refusal(path)


def test_codes_of_unequal_width_make_no_file() -> None:
    labels = np.arange(2)
    with pytest.raises(CodesError, match="8 bits and database codes 16"):
        CodeFile(codes_of(1, 2, 8), labels, codes_of(2, 2, 16), labels)


def test_a_place_that_can_not_be_written_is_refused(tmp_path: Path) -> None:
    codes = codes_of(1, 2, 8)
    file = CodeFile(codes, np.arange(2), codes, np.arange(2))
    with pytest.raises(CodesError, match="can not be written"):
        file.save(tmp_path / "no such folder" / "codes.npz")
    (tmp_path / "taken").mkdir()
    with pytest.raises(CodesError, match="can not be written"):
        file.save(tmp_path / "taken")
    assert [found.name for found in tmp_path.iterdir()] == ["taken"]
