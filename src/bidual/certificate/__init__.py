"""What is proven: bounds of neuron scores, their proofs, and the certificate of a network."""

from bidual.certificate.bound import PROVES, Bound, DualPoint, Method, Scope, norm_point, pattern_point, relaxed_point
from bidual.certificate.certificate import Certificate, certify, relative
from bidual.certificate.proof import verify_bound, witness_point

__all__ = [
    "PROVES",
    "Bound",
    "Certificate",
    "DualPoint",
    "Method",
    "Scope",
    "certify",
    "norm_point",
    "pattern_point",
    "relative",
    "relaxed_point",
    "verify_bound",
    "witness_point",
]
