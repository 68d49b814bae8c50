"""``python -m aftercall.simulator``."""

import sys

from aftercall.simulator.command import main

if __name__ == "__main__":
    sys.exit(main())
