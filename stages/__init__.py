"""The pipeline's stages. Settings here must be made before torch is loaded."""
import os

# Torch's threads spin while they wait for each other. With the default spin count a step takes 20 times as long when
# another process uses a core; without spinning it takes twice as long on an idle machine. This value is in between.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")
