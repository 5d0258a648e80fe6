"""Networks trained elsewhere: how far from optimal they are, and the same network polished."""

from __future__ import annotations

from bidual.trained.audit import AuditReport, audit
from bidual.trained.display import AuditDisplay
from bidual.trained.objective import Objective
from bidual.trained.polish import Polished, polish
from bidual.trained.steps import Step

__all__ = ["AuditDisplay", "AuditReport", "Objective", "Polished", "Step", "audit", "polish"]
