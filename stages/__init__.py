"""The pipeline's stages. What stands here must be set before torch is loaded."""
import os

# Torch's threads spin while they wait for each other. Left to itself a step takes 20 times as long when another process
# wants a core, too, and without any spinning twice as long on a quiet machine. This is in between.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")
