"""How the pages are built: ``make docs``. The examples are run, and a warning is an error."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util.logging import getLogger

import bidual

project = "bidual"
author = "the bidual developers"
copyright = author
version = release = bidual.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = False  # the pages under api/ document every name; the tables of api.md lead there
autodoc_member_order = "bysource"
autodoc_type_aliases = {
    name: name for name in ("Rows", "Outputs", "Weights", "Vector", "Matrix", "Masks", "Bias", "OutputNorm", "Expired")
}
python_use_unqualified_type_names = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "capture_repr": (),
    "download_all_examples": False,
    "min_reported_time": 3600,
    "show_signature": False,
    "write_computation_times": False,
}

html_theme = "pydata_sphinx_theme"
html_title = f"bidual {release}"
html_show_sourcelink = False
html_sidebars = {"[!a]*": []}  # only the pages under api/ and auto_examples/ have neighbours to list
html_theme_options = {
    "show_prev_next": False,
    "show_toc_level": 2,
    "footer_start": [],
    "footer_end": [],
    "navbar_end": ["theme-switcher"],
}
html_math_renderer = "mathml"


def _visit_math(self: Any, node: nodes.Element) -> None:
    """The formula as MathML, which browsers show by themselves: the pages ask no other host for a script."""
    block = isinstance(node, nodes.math_block)
    try:
        formula = tex2mathml(node.astext(), as_block=block)
        self.body.append(f'<div class="math" style="margin-bottom: 1.15rem">{formula}</div>' if block else formula)
    except MathError as error:
        getLogger(__name__).warning("%s", error, location=node)
    raise nodes.SkipNode


def _plain_names(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """A shape such as (n_features_in_,) is no link, though it ends in an underscore."""
    lines[:] = [re.sub(r"\((\w+_),\)", r"(``\1``,)", line) for line in lines]


def _short_types(*event: Any) -> tuple[str | None, str | None]:
    """Shapes by their names, also inside a tuple."""
    return tuple(text and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", text) for text in event[-2:])


def setup(app: Any) -> None:
    app.connect("autodoc-process-signature", _short_types)
    app.connect("autodoc-process-docstring", _plain_names, priority=400)  # before numpydoc
    app.add_html_math_renderer("mathml", (_visit_math, None), (_visit_math, None))
