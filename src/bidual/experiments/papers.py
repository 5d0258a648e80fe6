"""The papers, by the name the command line knows them by."""

from __future__ import annotations

from bidual.experiments.base import Paper

PAPERS: dict[str, Paper] = {}
