"""The pipeline's stages. Settings here must be made before torch is loaded."""
import os
import sys

# Torch's threads spin while they wait for each other. With the default spin count a step takes 20 times as long when
# another process uses a core; without spinning it takes twice as long on an idle machine. This value is in between.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")


def say_errors(kind, error, traceback) -> None:
    """A traceback, but for Ctrl-C, which may come in the seconds that an import takes."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = say_errors
