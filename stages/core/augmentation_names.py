"""Names that a model's `augment` may list. No imports, since every stage reads params.yaml."""

AUGMENTATIONS = (
    "light", "r4_mask", "r4_gender", "r4_age", "r2_age", "r3",
    "flip", "rotate", "affine", "perspective", "brightness", "contrast", "hue", "color_jitter", "noise", "grey",
    "random_grey", "grid_shuffle", "erasing", "autoaugment", "randaugment", "augmix", "trivialaugment", "resized_crop",
)
