"""Whatever the user gives, the answer is one line and an exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bidual.cli import main

from .cases import Command, small_table

CONTENTS = {
    "empty.csv": b"",
    "header.csv": b"a,b\n",
    "ragged.csv": b"a,b\n1,2\n1,2,3,4\n",
    "latin.csv": "a,b\n1,caf\u00e9\n".encode("latin-1"),
    "broken.parquet": b"PAR1 and no more",
    "one.csv": b"a,b\n1,2\n",
    "constant.csv": b"a,b\n1,2\n1,3\n1,5\n1,6\n",
    "one_class.csv": b"a,b\n1,x\n2,x\n3,x\n4,x\n",
    "names.csv": b"a,b\n" + b"".join(b"%d,w%d\n" % (i, i) for i in range(20)),
    "infinite.csv": b"a,b\n1,2\ninf,3\n2,4\n3,7\n1,5\n",
    "dates.csv": b"when,b\n2020-01-01,1.5\n2020-01-02,2.5\n2020-01-03,3.5\n",
    "missing.csv": b"a,b\n1,\n2,\n",
}

CASES = [
    (["empty.csv", "--target", "b"], "cannot read"),
    (["header.csv", "--target", "b"], "has no rows"),
    (["ragged.csv", "--target", "b"], "cannot read"),
    (["latin.csv", "--target", "b"], "cannot read"),
    (["broken.parquet", "--target", "b"], "cannot read"),
    (["absent.csv", "--target", "b"], "there is no file"),
    (["one.csv", "--target", "c"], "there is no column 'c' to predict; the table has 'a', 'b'"),
    (["constant.csv", "--target", "b", "--test-size", "0"], "no column is left"),
    (["one_class.csv", "--target", "b"], "one value only"),
    (["names.csv", "--target", "b"], "too many for classes"),
    (["names.csv", "--target", "b", "--task", "regression"], "must hold numbers, but has 'w0'"),
    (["names.csv", "--target", "a"], "column 'b' looks like text or names (16 different values in 16 rows)"),
    (["names.csv", "--target", "a", "--drop", "z"], "no column 'z' to drop"),
    (["infinite.csv", "--target", "b"], "infinite"),
    (["dates.csv", "--target", "b"], "column 'when' holds dates or times"),
    (["missing.csv", "--target", "b"], "missing in every row"),
    (["one.csv", "--target", "b", "--alpha", "-1"], "must be a positive number"),
    (["one.csv", "--target", "b", "--test-size", "1"], "must be at least 0 and below 1"),
    (["one.csv", "--target", "b", "--max-iter", "many"], "must be a whole number"),
    (["one.csv"], "--target"),
    (["one.csv", "--target", "b", "--nonsense"], "--nonsense"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(("arguments", "reason"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_bad_input(
    run: Command, folder: Path, arguments: list[str], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    ran = run("fit", *arguments, "--out", folder / "out", "--json")
    assert ran.code == 2
    last = ran.err.strip().splitlines()[-1]
    assert last.startswith("bidual: error: ") and reason in last
    assert ran.json == {"error": last.removeprefix("bidual: error: "), "exit_code": 2}


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [("--activation", "logistic", "tanh"), ("--loss", "poisson", "squared_error"), ("--loss", "hinge", "huber")],
)
def test_the_estimators_refusals(
    run: Command, tables: Path, tmp_path: Path, option: str, value: str, reason: str
) -> None:
    ran = run("fit", tables / "small.csv", "--target", "price", option, value, "--out", tmp_path)
    assert ran.code == 2 and reason in ran.err and "Traceback" not in ran.err


def test_a_folder_that_cannot_be_written(run: Command, tables: Path, fitted: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = run("fit", tables / "small.csv", "--target", "price", "--out", tmp_path / "file")
    assert ran.code == 2 and "cannot write in" in ran.err
    assert run("demo", "--out", tmp_path / "file").code == 2
    ran = run("predict", fitted / "model.npz", tables / "small.csv", "--out", tmp_path / "file" / "p.csv")
    assert ran.code == 2 and "cannot write" in ran.err


def test_no_command(run: Command) -> None:
    assert run().code == 2
    assert run("unknown").code == 2


def test_a_missing_package(run: Command, tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    ran = run("fit", tables / "small.csv", "--target", "price", "--out", tmp_path, "--json")
    assert ran.code == 3 and "pip install 'bidual[data]'" in ran.json["error"]


@pytest.mark.parametrize("command", [[], ["demo"], ["fit"], ["predict"], ["verify"]])
def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    assert "exit codes:" in capsys.readouterr().out


def test_help_loads_nothing_heavy() -> None:
    code = "import sys\nfrom bidual.cli import main\ntry: main(['fit', '--help'])\nexcept SystemExit: pass\n"
    code += "print([n for n in ('numpy', 'sklearn', 'scipy', 'pandas', 'matplotlib', 'rich') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_ctrl_c_writes_the_best_network(tmp_path: Path) -> None:
    table = small_table(400).drop(columns=["sick"])
    for k in range(20):
        table[f"noise {k}"] = np.random.default_rng(k).normal(size=400)
    table.to_csv(tmp_path / "t.csv", index=False)
    command = [
        sys.executable,
        "-m",
        "bidual.cli",
        "fit",
        "t.csv",
        "--target",
        "price",
        "--alpha",
        "1e-5",
        "--tol",
        "1e-9",
    ]
    with subprocess.Popen(
        [*command, "--json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        # A job of the background ignores the signal, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "objective" in line:  # the first record: the fit is on its way
                break
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    result = json.loads(out)
    assert result["status"] == "interrupted" and result["exit_code"] == 130
    assert (tmp_path / "bidual-out" / "model.npz").exists()


def test_ctrl_c_before_the_fit(run: Command, tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(path: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bidual.tables.read_table", interrupt)
    monkeypatch.setattr("bidual.cli.preparation.read_table", interrupt)
    ran = run("fit", tables / "small.csv", "--target", "price")
    assert ran.code == 130 and ran.err == "bidual: error: interrupted\n"
