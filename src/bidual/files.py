"""Named arrays and a JSON header in one file that is whole or refused.

A file is an uncompressed ``.npz`` (``numpy.load`` reads it too) whose members are the arrays, the header, and a
SHA-256 over the header and the name, type, shape and bytes of every array. No pickle is written or read.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bidual.errors import InvalidParameterError, ModelFileError

FORMAT = 1
"""Version of the layout; a file of another version is refused."""

Arrays: TypeAlias = dict[str, NDArray[Any]]

_HEADER, _DIGEST = "header", "sha256"
_KINDS = "biufcSUmM"
"""``dtype.kind`` of the arrays allowed: numbers, text, dates; never objects."""


def write_arrays(path: str | os.PathLike[str], kind: str, header: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write a file that ``read_arrays(path, kind)`` gives back bit for bit.

    An interrupted write leaves what was there before.

    Parameters
    ----------
    path : where to write, used as it is (no suffix is added)
    kind : what the file holds, e.g. "network"
    header : anything JSON can hold (tuples come back as lists)
    arrays : name -> array of numbers, text or dates; names of letters, digits, ``_`` and ``.``

    Raises
    ------
    InvalidParameterError
        An array has a reserved or unusable name, or holds Python objects.
    """
    path = Path(path)
    members = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    _check_members(members)
    text = json.dumps({"format": FORMAT, "kind": kind, "header": dict(header)}).encode()
    members |= {
        _DIGEST: np.frombuffer(_digest(text, members), np.uint8),
        _HEADER: np.frombuffer(text, np.uint8),
    }
    with replacing(path) as file:
        _write_zip(file, members)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file beside ``path`` that takes its place at the end, so that an interrupted write leaves what was there."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(draft, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def read_arrays(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Any], Arrays]:
    """Read a file of ``write_arrays``: ``(header, arrays)``.

    Never needs more memory than a few times the file's own size, whatever sizes the file declares.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ModelFileError
        The file is damaged, is not of this library, or is of another kind or version.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            return _read(file, path, kind)
    except (FileNotFoundError, ModelFileError):
        raise
    except Exception as error:  # zipfile, numpy and json raise a dozen types on malformed input
        raise _damaged(path, f"{type(error).__name__}: {error}") from error


def _read(file: IO[bytes], path: Path, kind: str) -> tuple[dict[str, Any], Arrays]:
    members = _read_zip(file)
    text = members.pop(_HEADER).tobytes()
    digest = members.pop(_DIGEST).tobytes()
    top = json.loads(text)
    if top["format"] != FORMAT:
        raise ModelFileError(
            f"{path} has format {top['format']!r} and this version of bidual reads format {FORMAT}; "
            "read it with the version that wrote it, or install a newer bidual"
        )
    if digest != _digest(text, members):
        raise _damaged(path, "its checksum does not match its content")
    if top["kind"] != kind:
        raise ModelFileError(f"{path} holds a {top['kind']!r}, not a {kind!r}; load it as what it is")
    return top["header"], members


def _damaged(path: Path, reason: str) -> ModelFileError:
    return ModelFileError(
        f"{path} is damaged or was not written by bidual ({reason}); save the model again or restore a copy"
    )


def _check_members(arrays: Arrays) -> None:
    for name, array in arrays.items():
        if name in (_HEADER, _DIGEST) or not re.fullmatch(r"[A-Za-z0-9_.]+", name):
            raise InvalidParameterError(
                f"an array cannot be named {name!r}; use letters, digits, '_' and '.', "
                f"but neither {_HEADER!r} nor {_DIGEST!r}"
            )
        if array.dtype.kind not in _KINDS:
            raise InvalidParameterError(
                f"array {name!r} has dtype {array.dtype}, which is not stored; convert it to numbers, text or dates"
            )


def _digest(text: bytes, arrays: Arrays) -> bytes:
    """SHA-256 of the header and of every array, in the order of the names."""
    sha = hashlib.sha256(text)
    for name in sorted(arrays):
        array = arrays[name]
        sha.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        sha.update(array.tobytes())
    return sha.digest()


def _write_zip(file: IO[bytes], members: Arrays) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in members.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy.write_array(member, array, allow_pickle=False)


def _read_zip(file: IO[bytes]) -> Arrays:
    """Every member as an array. Stored members cannot be larger than the file; larger declarations are refused."""
    size = file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("it has compressed members")
        if sum(entry.file_size for entry in entries) > size:
            raise ValueError("it declares more bytes than it has")
        members = {entry.filename.removesuffix(".npy"): _parse(archive.read(entry)) for entry in entries}
    if len(members) != len(entries):
        raise ValueError("it has two members of one name")
    return members


def _parse(data: bytes) -> NDArray[Any]:
    """The array of one ``.npy`` member; its shape is compared with the bytes present before anything is allocated."""
    stream = io.BytesIO(data)
    if npy.read_magic(stream) != (1, 0):
        raise ValueError("it has a member of another .npy version")
    shape, fortran_order, dtype = npy.read_array_header_1_0(stream)
    start = stream.tell()
    if dtype.kind not in _KINDS or fortran_order:
        raise ValueError(f"it has a member of type {dtype}")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(data) - start:
        raise ValueError(f"it has a member of declared shape {shape} and {len(data) - start} bytes")
    return np.ndarray(shape, dtype, buffer=data, offset=start).copy()
