"""Sphinx reads this: `make docs`."""

project = "tornado_cc"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "tornado_cc"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
nitpicky = True
