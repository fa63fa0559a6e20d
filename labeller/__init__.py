"""Label face photos with an exported bundle: mask, gender and age, without torch.

    from labeller import Labeller
    for photo in Labeller("bundle/model")(["a.jpg", "b.jpg"]):
        print(photo.source, [face.labels for face in photo.faces])
"""


def __getattr__(name: str):
    """`Labeller`, loaded when it is asked for: the pipeline imports the packages below without ONNX Runtime."""
    if name == "Labeller":
        from labeller.labeller import Labeller
        return Labeller
    raise AttributeError(f"module 'labeller' has no attribute {name!r}")
