"""ONNX Runtime without its telemetry: since 1.32 it keeps a device's number in the home and sends events to its maker.

Nothing else of this package imports it, and its Privacy.md names this variable, which counts while it loads.
"""
import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime

__all__ = ["onnxruntime"]
