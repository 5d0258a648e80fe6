"""Deliberate bugs: each is one plausible mistake in the library, which the tests beside it must notice.

``python tests/mutants.py [name ...]`` tries them one by one in a copy of the repository and exits 1 if one survives.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 200
"""A test run longer than this has noticed nothing."""

MUTANTS = """
complement without slope | operators/diagonals.py | operators/test_masked.py::test_products_equal_their_slow_twins
    C.dtype.type(1.0 + self.slope) * whole => C.dtype.type(1.0) * whole
complements added | operators/diagonals.py | operators/test_masked.py::test_products_equal_their_slow_twins
    B[place[flipped]] -= A[flipped] => B[place[flipped]] += A[flipped]
selection of other complements | operators/diagonals.py | operators/test_masked.py::test_products_equal_their_slow_twins
    pairs = place, flipped[which] => pairs = place, flipped[: which.size]
features of other masks | operators/pooled.py | operators/test_pooled.py
    every = np.array_equal(masks.places, self.diagonals.places) => every = masks.kept == self.diagonals.kept
features without their share | operators/pooled.py | operators/test_pooled.py::test_products_equal_their_slow_twins
    xp.matmul(D, X) * self.share => xp.matmul(D, X)
mean spread as a sum | patches.py | test_patches.py::test_spreading_is_the_adjoint_of_pooling
    np.repeat(self.share * V, self.count, axis=0) => np.repeat(V, self.count, axis=0)
patches side by side | patches.py | test_patches.py::test_patches_are_windows_of_the_image
    windows.transpose(0, 1, 3, 4, 2) => windows.transpose(0, 1, 4, 3, 2)
bound of the mean patch | architectures/convolutional.py | architectures/test_convolutional.py
    return self.inner.norm_bound(Xl, self.patches.spread(V)) => return self.inner.norm_bound(self.patches.pool(Xl), V)
chords without height | architectures/cones.py | oracles/test_groupwise.py::test_the_bound_is_never_below_enumeration
    fixed[:, -1] += np.vecdot(width, 1.0 - rho * rho) => pass
faces of one sign | architectures/cones.py | oracles/test_groupwise.py::test_the_bound_is_never_below_enumeration
    self.end = np.tile([1.0, -1.0], p) => self.end = np.tile([1.0, 1.0], p)
first of equal rows | architectures/cones.py | oracles/test_groupwise.py::test_the_bound_is_never_below_enumeration
    np.add.reduceat(V, first, axis=0) => V[first]
units of any features | architectures/grouped.py | oracles/test_groupwise.py::test_networks_from_outside_are_refused
    if outside.size: => if False:
first group for all | architectures/grouped.py | oracles/test_groupwise.py::test_forgeries_are_rejected
    search = self.search(Xl, V, group) => search = self.search(Xl, V, 0)
last group's bound | oracles/groupwise.py | oracles/test_groupwise.py::test_the_bound_is_never_below_enumeration
    bound, count = max(bound, search.bound), count + search.count => bound, count = search.bound, count + search.count
merged across groups | solvers/prune.py | oracles/test_groupwise.py::test_units_of_two_groups_are_not_merged
    problem.architecture.support(neurons.inputs)] => problem.architecture.support(0 * neurons.inputs)]
every pixel its own scale | estimators/encoding.py | estimators/test_convolutional.py
    if patches is None: => if True:
unused bits flipped | operators/bits.py | operators/test_bits.py::test_pairs_are_complementary_and_none_is_missed
    complement[-1:] &= tail => pass
targets take no memory | solvers/memory.py | solvers/test_memory.py::test_the_limit_is_kept_and_costs_no_accuracy
    VECTORS * problem.Y.size + WEIGHTS => WEIGHTS
gate without its bits compared | architectures/base.py | test_certificate.py::test_a_network_slid_off_its_patterns
    place.get(mask.tobytes(), -1) => place.get(mask.tobytes(), 0)
squared conjugate | losses/squared.py | losses/test_losses.py::test_fenchel_young
    Z * (0.5 * Z / s => Z * (Z / s
huber conjugate | losses/huber.py | losses/test_losses.py::test_fenchel_young
    residual * (0.5 * residual + Y) => residual * (residual + Y)
logistic conjugate | losses/logistic.py | losses/test_losses.py::test_fenchel_young
    xlogx(a) + xlogx(1.0 - a) => xlogx(a)
hinge conjugate | losses/hinge.py | losses/test_losses.py::test_fenchel_young
    return -float(s @ np.sum(np.clip(a, 0.0, 1.0), axis=1)) => return -float(np.sum(np.clip(a, 0.0, 1.0)))
smoothed hinge conjugate | losses/smoothed_hinge.py | losses/test_losses.py::test_fenchel_young
    a * (0.5 * self.width * a - 1.0) => a * (0.5 * a - 1.0)
squared hinge conjugate | losses/squared_hinge.py | losses/test_losses.py::test_fenchel_young
    a * (0.5 * a - 1.0) => a * (a - 1.0)
multinomial conjugate | losses/multinomial.py | losses/test_losses.py::test_fenchel_young
    return float(s @ np.sum(xlogx(Q), axis=1)) => return float(np.sum(xlogx(Q)))
gradient without weights | losses/squared.py | losses/test_losses.py::test_gradient_is_the_slope_of_the_value
    return s[:, None] * (F - Y) => return F - Y
gradient of another scale | losses/logistic.py | losses/test_losses.py::test_gradient_is_the_slope_of_the_value
    return -s[:, None] * Y * expit( => return -0.5 * s[:, None] * Y * expit(
balance leaves the domain | losses/base.py | losses/test_losses.py::test_balance
    common = np.minimum(up, down) => common = np.maximum(up, down)
row keeps its curvature | analysis/local_response.py | analysis/test_leave_one_out.py::test_textbook_formula
    np.eye(c) - J @ A @ M) => np.eye(c))
neuron turned around | analysis/local_response.py | analysis/test_leave_one_out.py::test_lonely_neuron_vanishes
    (self._overlap(W) <= 0.0) => (self._overlap(W) <= -np.inf)
kinks never released | analysis/local_response.py | analysis/test_leave_one_out.py::test_rows_are_released
    stay = (side == 0.0) & => stay = (side == 9.0) &
price of size of a mean loss | analysis/local_response.py | analysis/test_leave_one_out.py::test_rates_of_every_loss
    + gone * model.price * self.length => + 0.0 * self.length
quantile of the rows alone | analysis/intervals.py | analysis/test_intervals.py::test_jackknife_plus_of_the_paper
    math.ceil(coverage * (k + 1) * => math.ceil(coverage * k *
dual vector beyond the price | analysis/rashomon.py | analysis/test_rashomon.py::test_around_the_exact_end
    most = min(problem.penalty.limit(kappa), => most = min(1.2 * problem.penalty.limit(kappa),
network beyond the budget | analysis/rashomon.py | analysis/test_rashomon.py::test_around_the_exact_end
    if over(1.0) <= 0.0: => if over(1.0) <= np.inf:
strength limit without kappa | penalties.py | test_penalties.py
    return self.beta / kappa if kappa > 0 else math.inf => return self.beta
ball without the price of kappa | penalties.py | test_penalties.py
    return self.radius * kappa => return self.radius
sign of the dual vector | problem.py | test_problem.py::test_dual_vector_is_minus_the_gradient_balanced
    self.feasible(-self.loss.gradient( => self.feasible(self.loss.gradient(
no balance for the intercept | problem.py | test_problem.py::test_dual_vector_is_minus_the_gradient_balanced
    return self.loss.balance(V, self.Y, self.weights) if self.intercept else V => return V
unbalanced vectors count | problem.py | test_problem.py::test_dual_of_an_unbalanced_vector_is_that_of_zero
    if self.intercept and np.any( => if False and np.any(
dual a millionth too large | problem.py | solvers/test_statuses.py::test_optimal
    return -self.loss.conjugate(-t * V, => return -(1 - 1e-6) * self.loss.conjugate(-t * V,
amplitude of sign units twice | architectures/bounded.py | architectures/test_architectures.py
    return np.ones_like(amplitudes), amplitudes => return amplitudes, amplitudes
size of a free bias | architectures/pieces.py | architectures/test_architectures.py
    U[:-1] if self.bias == "free" else U => U
gate at zero in torch | export/torch_modules.py | export/test_export.py::test_torch_predicts_the_same
    (self.gate(x) >= 0) => (self.gate(x) > 0)
sign below zero in onnx | export/onnx_file.py | export/test_export.py::test_onnx_predicts_the_same
    graph.number(-1.0), z) => graph.number(1.0), z)
export in standard units | export/source.py | export/test_export.py::test_estimators_take_raw_features
    return model.encoding_.fold(model.network_) => return model.network_
gate at zero | activations.py | test_network.py::test_zero_opens_a_gate_and_has_sign_plus_one
    return z * (gate >= 0) => return z * (gate > 0)
path without its last unit | gates.py | test_gates.py::test_a_path_is_as_open_as_its_least_unit
    least[:, own] = np.minimum(least[:, own], Z[:, units]) => least[:, own] = Z[:, units]
gates without rectifier | gates.py | test_gates.py::test_a_path_is_as_open_as_its_least_unit
    H = np.maximum(Z, 0.0) => H = Z
gates of another network | architectures/base.py | architectures/test_parallel_gated.py
    if hidden.gates != own.gates => if False
paths of another branch in onnx | export/onnx_file.py | export/test_export.py::test_paths_of_every_branch_are_exported
    layer.paths[0] * weight.shape[2] + units => units
masks that repeat | architectures/parallel_gated.py | architectures/test_parallel_gated.py
    .nonempty().distinct() => .nonempty()
slope at zero | architectures/gated.py | architectures/test_architectures.py::test_a_gate_through_a_row_is_open_there
    (Xl @ neurons.gates >= 0) => (Xl @ neurons.gates > 0)
norm bound | architectures/bounds.py | architectures/test_architectures.py::test_no_network_scores_more_than_the_bounds
    return np.maximum(v, 0.0), np.maximum(-v, 0.0) => return np.maximum(v, 0.0), np.maximum(v, 0.0)
tangent on the wrong side | architectures/semidefinite.py | architectures/test_semidefinite.py
    np.where(up, 0.5 / t, => np.where(up, 0.4 / t,
secant for slopes beyond it | architectures/semidefinite.py | architectures/test_semidefinite.py
    (1.0 - np.abs(g)) / np.where => (1.0 + np.abs(g)) / np.where
score of one sign | architectures/relu.py | architectures/test_semidefinite.py
    zip((1, -1), ts, strict=True) => zip((1, 1), ts, strict=True)
shift below the eigenvalues | operators/sphere.py | operators/test_sphere.py
    least = float(values[-1]) + 2.0 * rounding => least = float(values[-1]) * 0.99
ends of relaxed units | operators/relaxed_units.py | operators/test_relaxed_units.py
    q / self.nu[:, None] => 2 * q / self.nu[:, None]
row on neither side | architectures/semidefinite.py | oracles/test_branch_and_bound.py::test_equals_enumeration
    np.where(v > 0, sides, touch) => np.where(v > 0, 0.0, touch)
leaf that is not there | architectures/branches.py | oracles/test_branch_and_bound.py::test_covers_knows_trees
    if leaves.size == 0: => if False:
leaves of one sign | architectures/branches.py | oracles/test_branch_and_bound.py::test_forged_leaves_are_rejected
    for sign in (1, -1): => for sign in (1,):
leaves taken on trust | certificate/proof.py | oracles/test_branch_and_bound.py::test_forged_leaves_are_rejected
    value = branched_point(problem, V, bound.branches, bound.patterns).bound.value => value = bound.value
nodes forgotten | oracles/branch_and_bound.py | oracles/test_branch_and_bound.py::test_equals_enumeration
    for side in (1.0, -1.0): => for side in (1.0,):
parabola below the kink | operators/faces.py | operators/test_faces.py::test_no_point_exceeds_the_bound
    np.vecdot(width, g * (1.5 - g)) => np.vecdot(width, g * (1.4 - g))
squares of one sign | operators/faces.py | operators/test_faces.py::test_no_point_exceeds_the_bound
    squares @ np.where(j == k, 1.0, 2.0) => squares.sum(axis=1)
slope of another chord | operators/faces.py | operators/test_faces.py::test_no_point_exceeds_the_bound
    np.clip(rho, -1.0, 1.0, out=rho) => np.clip(rho, -1.0, 0.9, out=rho)
lines steeper than the kink | operators/faces.py | operators/test_faces.py::test_no_point_exceeds_the_bound
    np.clip(after + i / (i + 3.0) * (after - before), -1.0, 1.0) => after + i / (i + 3.0) * (after - before)
cone of another box | operators/faces.py | operators/test_faces.py::test_projections_bound_linear_functions
    np.where(over > 0.0, boxes.high, boxes.low) => np.where(over > 0.0, boxes.low, boxes.high)
half a box dropped | operators/faces.py | operators/test_faces.py::test_halves_cover_their_box
    both.low[first + 1, axis] = middle, middle => both.low[first + 1, axis] = middle, 0.9 * middle + 0.1
side of some boxes | operators/faces.py | operators/test_faces.py::test_known_sides_change_nothing
    (center >= width).all(axis=0) => (center >= width).any(axis=0)
boxes of one sign | architectures/boxes.py | oracles/test_directions.py::test_75_small_problems
    for sign in (1, -1): => for sign in (1,):
faces of one end | architectures/boxes.py | oracles/test_directions.py::test_75_small_problems
    for end in (1.0, -1.0): => for end in (1.0,):
box bounds rounded down | architectures/boxes.py | oracles/test_directions.py::test_75_small_problems
    bounds = boxes.value + self.rounding => bounds = boxes.value - self.rounding
settled boxes forgotten | architectures/boxes.py | oracles/test_directions.py::test_75_small_problems
    self.settled = max(self.settled, float(bounds[~open_].max(initial=0.0))) => pass
search taken on trust | certificate/proof.py | oracles/test_directions.py::test_forgeries_are_rejected
    value = problem.architecture.box_bound(problem.lifted, V, most, limit) => value = bound.value
enclosures taken on trust | certificate/proof.py | test_certificate.py::test_forgeries_are_rejected
    value = semidefinite_point(problem, V, bound.touch).bound.value => value = bound.value
floor | architectures/relu.py | architectures/test_architectures.py::test_scores_on_patterns_stay_below_the_bound
    np.nonzero((loose > floor) | free) => np.nonzero((loose > 2 * floor) | free)
floor forgets what it skips | architectures/relu.py | testing/test_checks.py::test_architectures
    bound = max(float(loose[loose <= floor].max(initial=0.0)), => bound = max(0.0,
least bound of the patterns | architectures/relu.py | testing/test_checks.py::test_architectures
    float(found.bounds.max(initial=0.0))) => float(found.bounds.min(initial=np.inf)))
multipliers of any sign | operators/active_set.py | operators/test_cone.py::test_projection_is_the_nearest_point
    negative = best < 0.0 => negative = best < -np.inf
multipliers below zero | operators/active_set.py | operators/test_cone.py
    sets.multipliers = np.maximum(mu, 0.0) => sets.multipliers = mu - 1e-9
rows of another pattern | operators/active_set.py | operators/test_cone.py
    margins *= sets.signs[groups] => margins *= -sets.signs[groups]
row that stays in its slot | operators/active_set.py | operators/test_cone.py
    sets.dual[g, slot] = np.where(drops, 0.0, t) => sets.dual[g, slot] = t
dual basis that keeps its rounding | operators/active_set.py | operators/test_cone.py
    long = np.flatnonzero(stopped & (energy > LONG**2)) => long = np.flatnonzero(stopped & (energy < 0.0))
first step that leaves | solvers/inner/group_newton.py | solvers/test_group_newton.py::test_short_first_steps_stay
    share = min(share, reach * => share = min(share, np.inf *
free bias without its start | operators/cone.py | operators/test_cone.py
    None if start is None else self._scaled(which, start) => None
start kept as it is | operators/cone.py | operators/test_cone.py
    factor[:, None] * start.multipliers => start.multipliers
logistic pull of another margin | losses/logistic.py | testing/test_checks.py
    return M - low - pull * wrong, => return M - low - pull * (1.0 - wrong),
prices of another vector | program.py | solvers/test_fixed_patterns.py
    prices = block_prices(self.data.adjoint(V), => prices = block_prices(self.data.adjoint(0.9 * V),
rows less than they span | operators/row_space.py | solvers/test_row_space.py
    .T)[0] if p > n => .T)[0][:, 1:] if p > n
multinomial pull forgotten | losses/multinomial.py | testing/test_checks.py
    A = np.log(pull) + G + pull * Y => A = np.log(pull) + G
intercept of another step | solvers/inner/envelope.py | solvers/test_envelope.py
    / (2.0 * self.w) if self.w => / self.w if self.w
output on another's patterns | solvers/inner/active_blocks.py | solvers/test_active_blocks.py
    masks) for own, masks in self.of_outputs] => masks) for own, masks in self.of_outputs[::-1]]
multipliers of the wrong sign | solvers/cone_penalized.py | solvers/test_cone_penalized.py
    self.program.adjoint(-V) - self._hinges(U)[1] => self.program.adjoint(-V) + self._hinges(U)[1]
blocks of another output | operators/masked.py | solvers/test_active_blocks.py
    xp.take(values[:, rows], which, axis=0) => values[:1, rows]
no error of single precision | operators/masked.py | solvers/test_working_blocks.py
    return 1.25 * (n + p + 8.0) * unit * np.linalg.norm(most, axis=0) + underflow => return 0.0 * most[0]
price of the listed blocks alone | solvers/inner/working_blocks.py | solvers/test_working_blocks.py
    listed |= _largest( => _largest(
curvature of one output at a time | solvers/inner/envelope.py | solvers/test_envelope.py
    1.0 - np.sum(h * q * q, axis=1, keepdims=True) => 1.0
blocks of another length | solvers/inner/cone_newton.py | solvers/test_cone_newton.py
    self.share = 1.0 - amount / self.near => self.share = 1.0 - 0.9 * amount / self.near
blocks outside their cones | solvers/inner/cone_newton.py | solvers/test_cone_newton.py
    if self.steps < STEPS:  # the => if self.steps > STEPS:  # the
witness of another scale | solvers/inner/cone_newton.py | solvers/test_cone_newton.py
    self.near, 1.0 / self.sigma) => self.near)
proven on fewer patterns | certificate/certificate.py | test_certificate.py
    own = proven if patterns is listed else None => own = proven
multipliers of any sign, free bias | operators/cone.py | operators/test_cone.py::test_free_bias_equals_a_conic_solver
    [0][:m], 0.0) => [0][:m], -np.inf)
other side of a hyperplane | architectures/arrangement.py | architectures/test_arrangement.py
    for side in (1.0, -1.0): => for side in (np.sign(H[k] @ u),):
cells counted on another plane | architectures/arrangement.py | architectures/test_arrangement.py
    count_cells(H[:-1] @ _complement(h), limit - count) => count_cells(H[:-1, 1:], limit - count)
lines of the plane unsorted | architectures/planes.py | architectures/test_sweep.py::test_known_answers
    return np.argsort(np.where(self.flat, np.nan, slope), axis=1) => return np.argsort(self.x, axis=1)
collinear points counted apart | architectures/planes.py | architectures/test_sweep.py::test_500_small_problems
    > ROUNDING * longer => > -1.0
anchors alone contain a plane | architectures/sweep.py | architectures/test_sweep.py::test_500_small_problems
    > planes.anchors.shape[1]) => > planes.H.shape[0])
sides of the anchors not free | architectures/sweep.py | architectures/test_sweep.py::test_known_answers
    np.abs(planes.sums(C)) + free[:, None, :] => np.abs(planes.sums(C))
opposite rows added | architectures/sweep.py | architectures/test_sweep.py::test_500_small_problems
    side[kept, None] * V[kept] => V[kept]
bound without its rounding | architectures/sweep.py | architectures/test_sweep.py::test_500_small_problems
    return values + 2.0 * V.shape[0] => return values - 2.0 * V.shape[0]
bound of units without a bias | architectures/bounded.py | architectures/test_sweep.py::test_no_unit_exceeds_the_bound
    if self.bias == "none" else Xl => if False else Xl
sweep never done again | certificate/proof.py | oracles/test_sign_oracles.py::test_any_network_is_certified_by_a_sweep
    value = swept.bound.value => value = 0.0
line search takes the worst | oracles/line_search.py | oracles/test_sign_oracles.py::test_line_searches_are_nearly_exact
    (scores[every, best] >= now) => (scores[every, best] < now)
gates on hyperplanes forgotten | oracles/enumerated.py | regression/test_gates_on_hyperplanes.py
    if problem.architecture.faces and not covers_faces(problem.lifted, patterns): => if False:
smaller bound of two lists | certificate/bound.py | oracles/test_oracles.py::test_split_is_the_unsplit_oracle
    Bound(max(self.value, other.value) => Bound(min(self.value, other.value)
bound of some pieces | oracles/wrappers.py | oracles/test_oracles.py::test_split_claims_no_more_than_its_pieces
    if len(known) < len(points): => if not known:
score of the climb | oracles/local_search.py | testing/test_checks.py::test_oracles
    self.scores(U, part.outputs) => self.scores(part.inputs, part.outputs)
cells are not left | oracles/local_search.py | oracles/test_oracles.py::test_winners_cross_walls_to_local_maxima
    start, going = found.released(Xl, active[:, going], wall).take(better), going[better] => break
combination of other parts | certificate/proof.py | test_paths.py::test_forged_combinations_are_rejected
    if not np.array_equal(proven.V, point.V): => if False:
parts taken on trust | certificate/proof.py | test_paths.py::test_forged_combinations_are_rejected
    verify_bound(problem, part, rtol) => part.bound.value
parts on other lists | certificate/proof.py | test_paths.py::test_forged_combinations_are_rejected
    (listed is None or not listed.same_as(point.bound.patterns)) => False
weights of a combination that are negative | certificate/proof.py | test_paths.py::test_forged_combinations_are_rejected
    if not all(weight > 0 for weight, _ in parts): => if False:
gap at one end only | paths/span.py | test_paths.py
    np.linspace(0.0, 1.0, PIECES + 1) => np.zeros(1)
scores above the price | paths/span.py | test_paths.py
    if bound > knot.beta else 1.0 => if False else 1.0
neurons of one end | paths/mixture.py | test_paths.py
    (1.0 - share) * last.weight, share * => (1.0 - share) * last.weight, 0.0 *
a range that was not reached | paths/certified.py | test_paths.py
    return self.least <= self.asked[1] and => return
list is global | certificate/proof.py | regression/test_forged_scope.py
    if _proven_scope(bound) != bound.scope: => if False:
primal taken on trust | certificate/certificate.py | test_certificate.py::test_forgeries_are_rejected
    _agree("primal", self.primal, primal, => _agree("primal", primal, primal,
mean bound of the patterns | architectures/pieces.py | test_certificate.py::test_forgeries_are_rejected
    return float(norms.max(initial=0.0)) => return float(norms.mean())
negative multipliers | certificate/proof.py | test_certificate.py::test_a_witness_is_nonnegative_and_closes_a_free_bias
    if not (witness.values >= 0).all(): => if False:
witness of no sign | certificate/proof.py | regression/test_forged_witness.py
     and (np.abs(blocks[:, 2]) == 1).all()) => )
open free bias | architectures/pieces.py | test_certificate.py::test_a_witness_is_nonnegative_and_closes_a_free_bias
    closed = not free or => closed = True or
cells missing | certificate/proof.py | test_certificate.py::test_forgeries_are_rejected
    complete = count_cells(Xl, len(patterns)) == len(patterns) => complete = True
mask of no gate | certificate/proof.py | test_certificate.py::test_forgeries_are_rejected
    if not np.array_equal(Z[rows] > 0, patterns.masks[rows]): => if False:
neurons off the list | certificate/certificate.py | test_certificate.py::test_a_network_slid_off_its_patterns
    if outside is not None: => if False:
parabola of half the height | solvers/inner/rounded.py | solvers/test_rounded.py
    H = slopes * (Z + w * (1 - slopes)) => H = slopes * 0.5 * (Z + w * (1 - slopes))
gradient of a sharp kink | solvers/inner/rounded.py | solvers/test_rounded.py
    slopes = np.clip((Z + w) * np.float32(0.5 / width), 0.0, 1.0) => slopes = (Z > 0).astype(np.float32)
climb of a plain ramp | operators/ascent.py | operators/test_ascent.py
    gradient = linear + (1.0 - slope) * (X.T => gradient = linear + (X.T
one step for all axes | operators/ascent.py | operators/test_ascent.py
    xp.mean(X * X, axis=0)[:, None], slope => xp.mean(X * X), slope
step off the sphere | operators/ascent.py | operators/test_ascent.py
    gradient = gradient - U * xp.sum(gradient * U, axis=0) => pass
few neurons at a time | oracles/local_search.py | oracles/test_oracles.py::test_a_large_network_asks_for_many_neurons
    fresh <= len(current) => fresh <= 0
master of any sign | solvers/inner/master.py | solvers/test_working_set.py::test_o3
    nnls(R, solve_triangular(R, rhs - price, trans="T"), maxiter=30 * m)[0] => cho_solve((R, False), rhs - price)
merge of both signs | solvers/prune.py | solvers/test_prune.py
    ).tobytes() + np.round(neurons.outputs[:, j], 12).tobytes() => ).tobytes()
unpriced counts as priced | solvers/base.py | solvers/test_statuses.py::test_what_was_not_priced_has_no_priced_dual
    if len(self.pricing.neurons) == 0: => if False:
released the wrong way | operators/cone.py | operators/test_cone.py::test_released_is_the_sum_of_the_other_multipliers
    np.where(masks[rows, g], 1.0, -1.0) => np.where(masks[rows, g], -1.0, 1.0)
too wide a network | solvers/working_set.py | solvers/test_working_set.py::test_a_random_network_is_proposed
    if self.max_neurons is None: => if True:
negative multipliers of branches | certificate/proof.py | solvers/test_wide_program.py::test_forged_multipliers
    if not (witness.values >= 0).all(): => if False:
second patterns skipped | architectures/second_layer.py | solvers/test_wide_program.py::test_forged_multipliers
    return float(told.bounds.max(initial=0.0)) => return float(told.bounds[::2].min(initial=0.0))
chord below the kink | architectures/second_layer.py | oracles/test_second_masks.py
    (sides == 0), 0.5 * v * ball.reach => (sides == 0), 0.4 * v * ball.reach
slope of the chord | architectures/second_layer.py | oracles/test_second_masks.py
    np.where(v > 0, 0.5 * v * (1.0 + sides) => np.where(v > 0, v * np.maximum(sides, 0.0)
touch outside its box | architectures/second_layer.py | oracles/test_second_masks.py
    np.clip(touch, np.minimum(v, 0.0), 0.0) => touch
vectors that are not finite | operators/rectifier_ball.py | oracles/test_second_masks.py
    prices[~finite] = np.inf => prices[~finite] = 0.0
units of one sign | operators/rectifier_ball.py | solvers/test_wide_program.py::test_spike
    np.array([1.0, -1.0])[:, None, None] => np.array([1.0, 1.0])[:, None, None]
gauge a tenth too small | operators/rectifier_ball.py | solvers/test_wide_program.py::test_spike
    proven[g, s, j] = self._cones => proven[g, s, j] = 0.9 * self._cones
cells of a tree taken on trust | certificate/proof.py | solvers/test_wide_program.py::test_forgeries
    if bound.patterns is not None: => if False:
units outside their cones | solvers/inner/wide_master.py | solvers/test_wide_program.py::test_spike
    link, coupled, self._cones() @ flat >= 0] => link, coupled]
sides of the second layer left free | solvers/inner/wide_master.py | solvers/test_wide_program.py::test_spike
    [link, coupled, self => [link, self
pairs bounded by their better unit | architectures/second_layer.py | solvers/test_wide_program.py::test_two_units
    else np.maximum(positive[:, None], negative) => else np.minimum(positive[:, None], negative)
each leaf for all pairs | architectures/second_layer.py | solvers/test_wide_program.py::test_given_widths
    np.min(each, axis=0).max(initial=0.0) => np.max(each, axis=0).max(initial=0.0)
width not checked | architectures/parallel_relu3.py | solvers/test_wide_program.py::test_given_widths
    return np.zeros(units.shape, dtype=bool) if self.width is None else units > self.width => return units > 99
list that units are not on | certificate/certificate.py | solvers/test_wide_program.py::test_drawn_patterns
    and _stranger(problem, network, patterns) is None: => and True:
prune keeps the amplitudes | solvers/prune.py | solvers/test_prune.py
    return neurons.take(kept), x[kept] => return neurons.take(kept), t[kept]
search cut short is a success | solvers/base.py | solvers/test_statuses.py
    searching=iterate.searching or cut) => searching=iterate.searching)
optimal by search | solvers/base.py | solvers/test_statuses.py
    elif state.primal - state.whole_dual <= allowed: => elif state.primal - state.priced <= allowed:
bound of a list is global | solvers/base.py | solvers/test_statuses.py
    if point is not None and point.bound.scope == "global": => if point is not None:
checksum not compared | files.py | test_files.py
    if digest != _digest(text, members): => if False:
work of the last product | bench/measure.py | bench/test_cells.py::test_measured_work_is_that_of_every_product
    self.total += value - => self.total = value -
strength of no share | bench/posed.py | bench/test_cells.py::test_strength_is_a_share_of_the_least_without_neurons
    Strength(cell.share * most) => Strength(cell.share)
soft threshold at every depth | theorems/prox.py | theorems/test_prox.py
    if n_layers == 2 or beta == 0: => if n_layers >= 2 or beta == 0:
jump a little early | theorems/prox.py | theorems/test_prox.py
    above = (values > threshold) & ~tie => above = (values > 0.999 * threshold) & ~tie
whitened data in units of 1 | theorems/base.py | theorems/test_theorems.py
    problem.beta / kappa / kappa, => problem.beta / kappa,
layers out of balance | theorems/paths.py | theorems/test_theorems.py::test_layers_are_balanced
    self.inputs[:, kept] * root, root[:, None] * => self.inputs[:, kept] * root**2, root[:, None] ** 0 *
dual vector beyond the ball | theorems/base.py | theorems/test_theorems.py
    problem.beta / (slope * (1 + 1e-14)) => 1.001 * problem.beta / (slope * (1 + 1e-14))
end of the first local minimum | theorems/branch_and_bound.py | theorems/test_values.py
    heap[0][0] < best - tol * best => heap[0][0] < best - 0.2 * best
lines that do not cross | theorems/branch_and_bound.py | theorems/test_deep_scalar.py
    if a.s < cross < b.s else [] => if False else []
shared layers in scope | theorems/whitened_relu.py | theorems/test_counterexamples.py
    if problem.order == 2 or width <= 1: => if True:
data of rank one taken on trust | theorems/rank_one.py | theorems/test_certificate.py
    return e * float(np.sqrt(2 * primal)) + 0.5 * e * e => return 0.0
batch norm without the mean | theorems/batch_norm.py | theorems/test_theorems.py
    - self.mean @ W => - 0.0 * self.mean @ W
batch's loss not scaled up | experiments/duality2020/training.py | experiments/test_duality2020.py
    return loss * (X.shape[0] / rows.shape[0]) + => return loss +
means of other rows | experiments/duality2020/training.py | experiments/test_duality2020.py
    over = Z if rows is X else X @ self.weights[0] => over = Z
test images by a map of their own | experiments/duality2020/subsets.py | experiments/test_duality2020.py
    return U, subset.test_X @ Vt.T / s => return U, subset.test_X @ Vt.T
batch of full weight | experiments/three_layer2021/subnetworks.py | experiments/test_three_layer2021.py
    return scale * (networks(X) - Y).square() => return (networks(X) - Y).square()
second gates | experiments/three_layer2021/subnetworks.py | experiments/test_three_layer2021.py::test_gated_sub_networks
    * opened[..., None] * out => * out
signs kept | experiments/three_layer2021/mapped.py | experiments/test_three_layer2021.py::test_own_gates
    own[units] * whole * root[units] => whole * root[units]
costly looks | experiments/three_layer2021/stopwatch.py | experiments/test_three_layer2021.py::test_looks_take_no_time
    self._began += self._clock() - stopped => pass
labels left in order | datasets/jpegs.py | datasets/test_images.py::test_archive_of_jpeg_files
    arrays += [np.stack(images), y[order]] => arrays += [np.stack(images), y]
IDX sizes taken on trust | datasets/images.py | datasets/test_images.py
    if len(content) != 4 + 4 * ndim + int(np.prod(shape)): => if False:
stated dual not compared | theorems/certificate.py | theorems/test_certificate.py::test_forgeries_are_rejected
    if not self.dual <= proven.dual + scale: => if False:
weights without their root | estimators/linear_certificate.py | estimators/test_deep_linear.py::test_weights_count_rows
    root, kept = np.sqrt(weights)[:, None], => root, kept = weights[:, None],
sub-networks left with their rounding | solvers/wide_program.py | solvers/test_sampled_sub_networks.py
    if oracle.closed: => if False:
offset in every branch | estimators/encoding.py | estimators/test_depth.py::test_fit_predict_prove_save
    np.eye(last.n_branches)[:, :1] * offset => np.ones((last.n_branches, 1)) * offset
branches of other paths | display/hidden_paths.py | display/test_activation_patterns.py
    branches = gates[0, units[:, 0]] => branches = gates[0, : units.shape[0]][::-1]
folding without the mean | estimators/encoding.py | display/test_function.py
    bias - scaling.offset @ weight => bias
multipliers far from feasible | planted/single_neuron.py | planted/test_single_neuron.py::test_verify_notices_changes
    max(bound, 0.0) if proven else 0.0 => max(bound, 0.0)
dual of another norm | planted/single_neuron.py | planted/test_single_neuron.py::test_dual_equals_the_least_norm
    float((y - mu) @ (y + mu)) - 4.0 => float((y - mu) @ (y - mu)) - 4.0
last neuron is pulled | planted/objectives.py | planted/test_gradient_descent.py::test_value_and_gradient
    np.argmax(Z, axis=-1)[..., None] => np.argmin(Z, axis=-1)[..., None]
decay dropped | experiments/frank_wolfe2020/gradient_runs.py | experiments/test_frank_wolfe2020.py::test_adam
    A.T @ back + beta * W => A.T @ back
gap above nought | experiments/frank_wolfe2020/toys.py | experiments/test_frank_wolfe2020.py::test_courses
    gap < loss - optimum - 1e-9 => gap < loss - 1e-9
mean square | trained/torch_losses.py | trained/test_conventions.py::test_a_step_of_torch_descends_the_objective
    return Squared(), 2.0, real => return Squared(), 1.0, real
batches | trained/from_sklearn.py | trained/test_conventions.py::test_mini_batches_of_scikit_learn_decay_more
    return float(np.mean(1.0 / np.array(sizes))) => return 1.0 / n
charge | trained/posed.py | trained/test_conventions.py::test_the_problem_has_the_networks_of_the_objective
    weights = np.append(weights, objective.output_bias) => weights = np.append(weights, 1.0)
ellipsoid | trained/free_biases.py | trained/test_free_biases.py::test_the_largest_score_lies_between_its_bounds
    (problem.X - center) / share**0.5 => (problem.X - center) * share**0.5
steps not computed again | trained/audit.py | trained/test_audit.py::test_a_thousand_tampered_reports_are_rejected
    if not abs(value - step.objective) <= RTOL * abs(value): => if False:
twins that stay | trained/irreducible.py | trained/test_polish.py::test_what_can_be_merged_or_pruned
    return len(merged) == network.n_neurons and _independent => return _independent
"""

CONFTEST = """
from pathlib import Path
import bidual
from hypothesis import Phase, settings

assert Path(bidual.__file__).is_relative_to(Path(__file__).parent / "src"), bidual.__file__
settings.register_profile("mutants", derandomize=True, database=None, phases=[Phase.explicit, Phase.generate])
settings.load_profile("mutants")
"""
"""The mutated package is the one that is tested; examples are the same on every run, and are not made smaller."""


class Mutant(NamedTuple):
    """``old`` becomes ``new`` in one file under src/bidual; the ``test`` (a path or node id) must fail."""

    name: str
    file: str
    test: str
    old: str
    new: str


def read(table: str) -> list[Mutant]:
    lines, found = table.strip().splitlines(), []
    for head, change in zip(lines[::2], lines[1::2], strict=True):
        name, file, test = head.split(" | ")
        old, new = change[4:].split(" => ")
        found.append(Mutant(name, file, f"tests/{test}", old, new))
    return found


def failures(tree: Path, tests: list[str]) -> list[str]:
    """The first of the tests that fails in the copy; RuntimeError if they did not run."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", *tests]
    # No bytecode: two versions of a file can have the same size and second.
    environment = os.environ | {"PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=SECONDS)
    failed = re.findall(r"^(?:FAILED|ERROR) (?:\S*/)?(.+?)(?: - |$)", run.stdout, re.MULTILINE)
    if run.returncode not in ((1, 2) if failed else (0,)):
        raise RuntimeError(f"pytest ended with {run.returncode}:\n{run.stdout}{run.stderr}")
    return failed


def verdict(tree: Path, mutant: Mutant) -> str:
    path = tree / "src" / "bidual" / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        return f"DOES NOT APPLY: its text occurs {text.count(mutant.old)} times in {mutant.file}"
    path.write_text(text.replace(mutant.old, mutant.new))
    try:
        failed = failures(tree, [mutant.test])
        return f"killed by {failed[0]}" if failed else "SURVIVED"
    except subprocess.TimeoutExpired:
        return f"SURVIVED {SECONDS} s"
    finally:
        path.write_text(text)


def main(names: list[str]) -> int:
    mutants = [mutant for mutant in read(MUTANTS) if not names or mutant.name in names]
    if missing := set(names) - {mutant.name for mutant in mutants}:
        sys.exit(f"no mutants named {sorted(missing)}")
    with TemporaryDirectory() as folder:
        tree, good = Path(folder), True
        for part in ("src", "tests"):
            shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
        shutil.copy(ROOT / "pyproject.toml", tree)
        (tree / "conftest.py").write_text(CONFTEST)
        if failed := failures(tree, sorted({mutant.test for mutant in mutants})):
            sys.exit(f"{failed[0]} fails without any mutant")
        for mutant in mutants:
            began = time.monotonic()
            said = verdict(tree, mutant)
            good &= said.startswith("killed")
            print(f"{mutant.name:36} {time.monotonic() - began:5.1f} s  {said}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
