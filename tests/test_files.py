"""A model file is whole or refused."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bidual.errors import InvalidParameterError, ModelFileError
from bidual.files import read_arrays, write_arrays

HEADER = {"loss": "squared", "beta": 0.1, "classes": ["a", "b"], "inf": float("inf")}
ARRAYS = {
    "weight": np.random.default_rng(0).standard_normal((7, 3)),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "scalar": np.array(-0.0),
    "empty": np.zeros((0, 4), dtype=np.float32),
    "labels": np.array(["no", "yes"]),
    "big_endian": np.arange(3, dtype=">i4"),
    "mask": np.array([True, False]),
    "nan.inf": np.array([np.nan, np.inf]),
    "dates": np.array(["2026-01-01"], dtype="datetime64[D]"),
    "no_text": np.array(["", ""], dtype="U0"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_arrays(tmp_path / "model.npz", "network", HEADER, ARRAYS)
    return tmp_path / "model.npz"


def content(header: object, arrays: dict[str, np.ndarray]) -> object:
    return header, {k: (a.dtype.str, a.shape, a.tobytes()) for k, a in arrays.items()}


EXPECTED = content(HEADER, ARRAYS)


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path: Path, parts: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def npy(array: np.ndarray, **options: bool) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def test_round_trip_is_bitwise(path: Path) -> None:
    assert content(*read_arrays(path, "network")) == EXPECTED
    assert content(*read_arrays(str(path), "network")) == EXPECTED


def test_arrays_read_are_the_readers_own(path: Path) -> None:
    assert all(a.flags.writeable and a.flags.aligned for a in read_arrays(path, "network")[1].values())


def test_same_content_same_bytes(path: Path, tmp_path: Path) -> None:
    write_arrays(tmp_path / "again.npz", "network", HEADER, ARRAYS)
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_numpy_alone_reads_it(path: Path) -> None:
    with np.load(path, allow_pickle=False) as file:
        np.testing.assert_array_equal(file["weight"], ARRAYS["weight"])


def test_no_flipped_bit_is_accepted_silently(path: Path) -> None:
    whole = path.read_bytes()
    refused = 0
    for bit in np.random.default_rng(1).choice(8 * len(whole), 300, replace=False):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        try:
            assert content(*read_arrays(path, "network")) == EXPECTED, f"bit {bit}"
        except ModelFileError:
            refused += 1
    assert refused > 200


def test_every_truncation_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for length in np.linspace(0, len(whole) - 1, 60, dtype=int):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError, match=r"model\.npz is damaged .* restore a copy"):
            read_arrays(path, "network")


@pytest.mark.parametrize("change", ["value", "name", "shape", "dtype", "missing", "extra", "header", "order"])
def test_checksum_covers_everything(path: Path, change: str) -> None:
    parts = members(path)
    weight = ARRAYS["weight"]
    if change == "value":
        parts["weight.npy"] = npy(np.where(weight == weight[0, 0], 1.0, weight))
    elif change == "name":
        parts["wight.npy"] = parts.pop("weight.npy")
    elif change == "shape":
        parts["weight.npy"] = npy(weight.reshape(3, 7))
    elif change == "dtype":
        parts["weight.npy"] = npy(weight.view(np.int64))
    elif change == "missing":
        del parts["weight.npy"]
    elif change == "extra":
        parts["more.npy"] = npy(weight)
    elif change == "header":
        text = parts["header.npy"].replace(b"squared", b"logistc")
        assert text != parts["header.npy"]
        parts["header.npy"] = text
    elif change == "order":
        parts = dict(reversed(parts.items()))
    rewrite(path, parts)
    if change == "order":  # the order of the members means nothing
        assert content(*read_arrays(path, "network")) == EXPECTED
        return
    with pytest.raises(ModelFileError, match="checksum"):
        read_arrays(path, "network")


def test_pickle_is_never_loaded(path: Path, tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "owned"),)

    parts = members(path)
    for name in ("weight.npy", "header.npy"):
        rewrite(path, parts | {name: npy(np.array([Payload()], dtype=object), allow_pickle=True)})
        with pytest.raises(ModelFileError, match="type object"):
            read_arrays(path, "network")
    assert not (tmp_path / "owned").exists()


def test_zip_bomb(path: Path) -> None:
    rewrite(path, members(path) | {"weight.npy": npy(np.zeros(10**6))}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelFileError, match="compressed"):
        read_arrays(path, "network")


def test_members_larger_than_the_file(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    entry = whole.index(b"PK\x01\x02")
    whole[entry + 24 : entry + 28] = (2**31).to_bytes(4, "little")
    path.write_bytes(whole)
    with pytest.raises(ModelFileError, match="more bytes than it has"):
        read_arrays(path, "network")


@pytest.mark.parametrize("shape", [(10**12,), (0, 10**30), (-1,), (-1, -21), (10**30,), ()])
def test_huge_or_impossible_declared_shape(path: Path, shape: tuple[int, ...]) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": shape})
    rewrite(path, members(path) | {"weight.npy": stream.getvalue()})
    with pytest.raises(ModelFileError, match="damaged"):
        read_arrays(path, "network")


@pytest.mark.parametrize("data", [b"", b"not a zip", npy(np.zeros(3)), b"PK\x05\x06" + bytes(18)])
def test_not_a_model_file(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=r"model\.npz is damaged or was not written by bidual"):
        read_arrays(path, "network")


def test_foreign_npz(path: Path) -> None:
    np.savez(path, weight=np.zeros(3))
    with pytest.raises(ModelFileError, match="not written by bidual"):
        read_arrays(path, "network")


@pytest.mark.parametrize("text", [b"[]", b"{}", b"null", b"\xff", b"[" * 10**5, b'{"format": 1}'])
def test_malformed_header(path: Path, text: bytes) -> None:
    rewrite(path, members(path) | {"header.npy": npy(np.frombuffer(text, np.uint8))})
    with pytest.raises(ModelFileError, match="damaged"):
        read_arrays(path, "network")


def test_another_version(path: Path) -> None:
    text = json.dumps({"format": 2, "kind": "network", "header": {}}).encode()
    rewrite(path, members(path) | {"header.npy": npy(np.frombuffer(text, np.uint8))})
    with pytest.raises(ModelFileError, match="format 2 .* reads format 1; .* install a newer bidual"):
        read_arrays(path, "network")


def test_another_kind(path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"model\.npz holds a 'network', not a 'checkpoint'"):
        read_arrays(path, "checkpoint")


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none.npz"):
        read_arrays(tmp_path / "none.npz", "network")
    with pytest.raises(ModelFileError):
        read_arrays(tmp_path, "network")


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_interrupted_write_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def fail(descriptor: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(error):
        write_arrays(path, "network", {}, {"weight": np.zeros(2)})
    assert content(*read_arrays(path, "network")) == EXPECTED
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", ["header", "sha256", "", "a/b", "a b", "é"])
def test_unusable_array_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidParameterError, match="cannot be named"):
        write_arrays(tmp_path / "model.npz", "network", {}, {name: np.zeros(2)})
    assert not list(tmp_path.iterdir())


def test_objects_are_not_stored(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterError, match="dtype object"):
        write_arrays(tmp_path / "model.npz", "network", {}, {"labels": np.array(["a", None], dtype=object)})
