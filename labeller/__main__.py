"""`python -m labeller` is the command `label`."""
import sys

from labeller.command import main

sys.exit(main())
