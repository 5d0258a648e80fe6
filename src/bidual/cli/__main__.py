"""``python -m bidual.cli``."""

import sys

from bidual.cli import main

sys.exit(main())
