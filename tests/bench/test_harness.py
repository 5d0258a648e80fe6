"""The harness in benchmarks/: judge, protocol and runner, without any peer installed."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bidual.bench import Cell, pose
from bidual.bench.posed import Posed
from bidual.operators.masked import MaskedData
from bidual.solvers import Stop

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
CELLS = [
    Cell("gated", "squared", "iid", (40, 4, 8, 1), 0.1),
    Cell("gated", "multinomial", "power_law", (40, 4, 8, 3), 0.01),
    Cell("cones", "logistic", "iid", (40, 3, 8, 1), 0.1),
    Cell("network", "logistic", "iid", (40, 3, 8, 1), 0.1),
]


def task_of(posed: Posed) -> object:
    from protocol import Task

    problem, cell = posed.problem, posed.cell
    masks, gates = posed.patterns.masks, posed.patterns.gates
    return Task("{}", problem.X, problem.Y, masks, gates, cell.loss, cell.kind, problem.penalty.beta, -1.0, 1.0)


def some_answer(posed: Posed, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    d, c, P = posed.problem.X.shape[1], posed.problem.n_outputs, len(posed.patterns)
    if posed.cell.kind == "network":
        shapes = {"weights": (d, 5), "biases": (5,), "outputs": (5, c), "intercept": (c,)}
        return {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return {"U": rng.normal(size=(P, 2, d, c) if posed.cell.kind == "cones" else (P, d, c))}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_peers_and_judge_agree_on_the_objective(harness: ModuleType, cell: Cell) -> None:
    from judge import value

    posed = pose(cell)
    task, answer = task_of(posed), some_answer(posed)
    objective, outside = value(posed, answer)
    assert task.objective(answer) == pytest.approx(objective, rel=1e-12)
    assert task.outside(answer) == pytest.approx(outside, rel=1e-12)


def test_the_objective_by_its_definition(harness: ModuleType) -> None:
    posed = pose(CELLS[2])
    task, U = task_of(posed), some_answer(posed)["U"]
    masks, X, y = posed.patterns.masks, posed.problem.X, posed.problem.Y[:, 0]
    F = sum(np.diag(masks[:, j].astype(float)) @ X @ (V - W) for j, (V, W) in enumerate(U))
    loss = np.log(1 + np.exp(-y * F[:, 0])).sum()
    size = sum(np.linalg.norm(u) for pair in U for u in pair)
    assert task.objective({"U": U}) == pytest.approx(loss + posed.problem.penalty.beta * size)
    assert np.allclose(task.expanded(), np.hstack([mask[:, None] * X for mask in masks.T]))


def test_an_answer_outside_its_cones_is_no_more_accurate_than_that(harness: ModuleType) -> None:
    from judge import accuracy

    assert accuracy({"objective": 90.0, "outside": 0.01}, lowest=100.0) == 0.01
    assert accuracy({"objective": 100.0, "outside": 0.0}, lowest=99.0) == pytest.approx(0.01)


@pytest.mark.parametrize("cell", CELLS[:3], ids=lambda cell: cell.name)
def test_bounds_from_any_answer_stay_below_the_optimum(harness: ModuleType, cell: Cell) -> None:
    from judge import proven, value

    posed = pose(cell)
    best = posed.solver.solve(posed.problem, Stop(1e-8, max_iter=100)).certificate.primal
    zero = {"U": np.zeros_like(some_answer(posed)["U"])}
    for answer in (zero, some_answer(posed), {"U": 0.1 * some_answer(posed, 1)["U"]}):
        assert proven(posed, answer) <= best * (1 + 1e-9)
    assert proven(posed, zero) > 0.0 and value(posed, zero)[0] > best


def test_several_outputs_from_a_solver_of_one(harness: ModuleType) -> None:
    from protocol import by_output

    posed = pose(Cell("gated", "squared", "iid", (40, 4, 8, 3), 0.1))
    task, U = task_of(posed), some_answer(posed)["U"]
    columns = iter(np.moveaxis(U, -1, 0)[..., None])

    def solve(part: object, tol: float) -> dict[str, object]:
        column = next(columns)
        return {"U": column, "converted": lambda: part.objective({"U": column})}

    answer = by_output(solve)(task, 0.1)
    assert np.array_equal(answer["U"], U) and answer["converted"]() == pytest.approx(task.objective({"U": U}))


def test_the_library_in_its_own_process_and_a_runner_that_resumes(
    harness: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, cells = tmp_path / "bench.jsonl", [CELLS[0], CELLS[2]]
    monkeypatch.setattr(harness, "problems", lambda which: iter(cells))
    harness.main(["--methods", "bidual", "--only", "gated", "--out", str(out)])
    with out.open("a") as file:
        file.write('{"problem": "cut o')
    harness.main(["--methods", "bidual", "scikit-learn", "--out", str(out)])
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(row["method"], row["status"]) for row in rows] == [
        ("bidual", "ended"),
        ("scikit-learn", "refused"),
        ("bidual", "ended"),
        ("scikit-learn", "refused"),
    ]
    for row in (rows[0], rows[2]):
        last = row["answers"][-1]
        assert row["best"] <= 1e-6 and last["dual"] <= last["objective"] * (1 + 1e-12) and last["outside"] < 1e-12
        assert last["memory"] >= last["memory_before"] > 0 and last["passes"] > 0 and last["cpu"] > 0
    before = out.read_text()
    harness.main(["--methods", "bidual", "scikit-learn", "--out", str(out)])
    assert out.read_text() == before
    harness.main(["--methods", "bidual", "--only", "cones", "--again", "--out", str(out)])
    again = [json.loads(line) for line in out.read_text().splitlines()]
    assert again[:3] == [rows[0], rows[1], rows[3]] and again[3]["problem"] == rows[2]["problem"]


def test_what_failed_is_not_asked_for_more(harness: ModuleType) -> None:
    def row(method: str, share: float, status: str, best: float | None) -> dict[str, object]:
        cell = Cell("gated", "squared", "iid", (40, 4, 8, 1), share)
        return {"problem": cell.name, "cell": harness._plain(cell), "method": method, "status": status, "best": best}

    rows = [row("celer", 0.01, "capped", 0.2), row("adelie", 0.01, "capped", 1e-4), row("skglm", 0.01, "ended", 0.2)]
    weaker, stronger = (Cell("gated", "squared", "power_law", (40, 4, 8, 1), share) for share in (0.001, 0.1))
    assert "0.01" in harness.hopeless(rows, "celer", weaker)
    assert harness.hopeless([row("celer", 0.01, "capped", None)], "celer", weaker)
    assert harness.hopeless(rows, "celer", stronger) is None
    assert harness.hopeless(rows, "adelie", weaker) is None and harness.hopeless(rows, "skglm", weaker) is None
    assert harness.hopeless(rows, "celer", Cell("cones", "squared", "iid", (40, 4, 8, 1), 0.001)) is None


def test_every_method_is_a_folder_that_says_what_it_needs(harness: ModuleType) -> None:
    for method in harness.METHODS:
        assert (BENCHMARKS / "peers" / method / "solve.py").is_file()
        assert method == "bidual" or f"{method}==" in "".join(
            path.read_text() for path in (BENCHMARKS / "peers" / method).glob("*.txt")
        )
    large = Cell("gated", "squared", "iid", (20000, 50, 1000, 1), 0.1)
    assert "expanded matrix" in harness.refusal("celer", large) and harness.refusal("adelie", large) is None
    assert MaskedData(np.ones((1, 1)), np.ones((1, 1), bool)).flops == 0.0
