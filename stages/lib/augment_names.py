"""Names of the augmentations that `augment` of a model may list. No imports: every stage reads params.yaml."""

AUGMENTATIONS = (
    "light", "r4_mask", "r4_gender", "r4_age", "r2_age", "r3",
    "flip", "rotate", "affine", "perspective", "brightness", "contrast", "hue", "color_jitter", "noise", "grey",
    "random_grey", "grid_shuffle", "erasing", "autoaugment", "randaugment", "augmix", "trivialaugment",
)
ALWAYS = ("grey",)  # a network that learnt without colours must not meet them later


def at_test(names: list[str]) -> list[str]:
    """Those of a model's augmentations that its photos get at validation and prediction, too."""
    return [name for name in names if name in ALWAYS]
