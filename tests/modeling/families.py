"""Networks of all of timm's families, small enough for a test."""
import torch

from stages.modeling.networks import make_network

FAMILIES = [  # of each file of timm that has one, the smallest network, if it has less than 15 million weights
    "halonet_h1", "test_byobnet", "cait_xxs24_224", "coat_tiny", "convit_tiny", "test_convnext", "cpubone_nano",
    "crossvit_tiny_240", "csatv2", "cs3darknet_focus_s", "cspnext_tiny", "deit_tiny_patch16_224", "densenet121", "dla46x_c",
    "dpn48b", "edgenext_xx_small", "efficientformer_l1", "efficientformerv2_s0", "test_efficientnet", "efficientvim_m1",
    "efficientvit_b0", "efficientvit_m0", "vit_tiny_patch16_dinov3_qkvb", "fasternet_t0", "fastvit_t8", "gcvit_xxtiny",
    "ghostnet_050", "hardcorenas_b", "hgnetv2_b0", "hrnet_w18_small", "iformer_t", "inception_next_atto", "lcnetv2_small",
    "levit_128s", "lowformer_b0", "test_mambaout", "test_coatnet", "poolformerv2_s12", "gmlp_ti16_224", "lcnet_035",
    "mobilevit_xxs", "test_nfnet", "pit_ti_224", "pvt_v2_b0", "regnetx_002", "repghostnet_050", "repvit_m1", "resnest14d",
    "test_resnet", "resnetv2_18", "rexnet_100", "legacy_seresnet18", "shvit_s1", "skresnet18", "starnet_s050",
    "swiftformer_xs", "tiny_vit_5m_224", "visformer_tiny", "test_vit", "vit_tiny_r_s16_p8_224", "test_vit_relpos",
    "ese_vovnet19b_slim_dw", "xcit_nano_12_p8_224",
]


def height_of(backbone: str) -> int:
    """A height in pixels of photos that the network takes."""
    for height in (64, 224, 240, 256):
        try:
            make_network(backbone, 3, (height, height)).eval()(torch.zeros(1, 3, height, height))
            return height
        except Exception:  # noqa: BLE001, S112 timm's networks raise anything
            continue
    raise ValueError(backbone)
