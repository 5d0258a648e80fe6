"""What is proven: bounds of neuron scores, their proofs, and the certificate of a network."""

from bidual.certificate.bound import (
    PROVES,
    Bound,
    DualPoint,
    Method,
    Scope,
    branched_point,
    combined_point,
    norm_point,
    pattern_point,
    relaxed_point,
    sweep_point,
)
from bidual.certificate.certificate import SWEEP_WORK, Certificate, certify, relative
from bidual.certificate.proof import verify_bound, witness_point

__all__ = [
    "PROVES",
    "SWEEP_WORK",
    "Bound",
    "Certificate",
    "DualPoint",
    "Method",
    "Scope",
    "branched_point",
    "certify",
    "combined_point",
    "norm_point",
    "pattern_point",
    "relative",
    "relaxed_point",
    "sweep_point",
    "verify_bound",
    "witness_point",
]
