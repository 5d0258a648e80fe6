"""One command per file: ``add`` puts it into the parser, ``run`` gives its outcome."""
