"""The pipeline's stages. Settings here must be made before torch is loaded."""
import os
import sys

# Torch's threads spin while they wait for each other. With the default spin count a step takes 20 times as long when
# another process uses a core; without spinning it takes twice as long on an idle machine. This value is in between.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

OWN = ("stages", "labeller", "tools", "benchmarks", "tests")
NO_MEMORY = ("failed to map segment", "cannot allocate memory", "Cannot allocate memory")


def say_errors(kind, error, traceback) -> None:
    """Of what may end an import: nothing of Ctrl-C, a line where Python is another one or memory is short, else a traceback."""
    if issubclass(kind, ModuleNotFoundError) and (error.name or "").split(".")[0] not in OWN:
        print(f"error: {sys.executable} has no package {error.name}; run source .venv/bin/activate, or make env",
              file=sys.stderr)
    elif issubclass(kind, MemoryError) or issubclass(kind, ImportError) and any(text in str(error) for text in NO_MEMORY):
        print(f"error: not enough memory to load what is needed ({error})", file=sys.stderr)
    elif not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = say_errors
