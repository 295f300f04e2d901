"""Files of published networks that components use. Light: no torch."""

from __future__ import annotations

from dataclasses import replace

from skinfw.components.weights import WeightsFile
from skinfw_plugins.shared.fields import ImagenetEncoderName, LpipsNet

_IMAGENET = "trained on ImageNet, which is for non-commercial research"


def _torchvision(name: str, purpose: str) -> WeightsFile:
    """Return a file of torchvision, whose name ends in the first digits of its SHA-256."""
    sha256 = name.removesuffix(".pth").rpartition("-")[2]
    url = f"https://download.pytorch.org/models/{name}"
    return WeightsFile(
        name,
        url,
        sha256,
        purpose,
        "LicenseRef-torchvision-pretrained",
        "https://github.com/pytorch/vision#pre-trained-model-license",
        "unknown",
        f"torchvision leaves open which terms of its training data apply; {_IMAGENET}",
    )


TORCHVISION: dict[str, WeightsFile] = {
    "alexnet": _torchvision("alexnet-owt-7be5be79.pth", "AlexNet trained on ImageNet"),
    "squeezenet1_1": _torchvision("squeezenet1_1-b8a52dc0.pth", "SqueezeNet 1.1 trained on ImageNet"),
    "vgg16": _torchvision("vgg16-397923af.pth", "VGG-16 trained on ImageNet"),
    "vgg19": _torchvision("vgg19-dcbb9e9d.pth", "VGG-19 trained on ImageNet"),
    "mobilenet_v2": replace(
        _torchvision("mobilenet_v2-b0353104.pth", "MobileNetV2 trained on ImageNet"),
        also=("cbd3255e2c886096b0af23bef65b58d0d7944a816ef5ee6643edde0cbecfdeef",),
        other_names=("mobilenet_v2.safetensors",),
    ),
}
"""Weights files by the name of the network in ``torchvision.models``."""

EFFICIENTNET_LITE0 = WeightsFile(
    "tf_efficientnet_lite0-0aa007d2.pth",
    "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/"
    "tf_efficientnet_lite0-0aa007d2.pth",
    "0aa007d2",
    "EfficientNet-Lite0 trained on ImageNet",
    "Apache-2.0",
    "https://github.com/huggingface/pytorch-image-models#licenses",
    "unknown",
    f"timm advises legal advice before commercial use; {_IMAGENET}",
    also=("64cb5905cda00f0bb2644c0165c5aaacdc5215fa76434fb8946abb625abf19c2",),
    other_names=("tf_efficientnet_lite0.safetensors",),
)
"""The weights that timm publishes, converted from TensorFlow; or the same in safetensors."""

ENCODER_FILES: dict[ImagenetEncoderName, WeightsFile] = {
    "mobilenet_v2": TORCHVISION["mobilenet_v2"],
    "efficientnet_lite0": EFFICIENTNET_LITE0,
}
"""Weights files of the small encoders."""

LPIPS_NETWORKS: dict[LpipsNet, str] = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}
"""The name in ``torchvision.models`` of each network of LPIPS."""

INCEPTION = WeightsFile(
    "weights-inception-2015-12-05-6726825d.pth",
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth",
    "6726825d",
    "Inception-v3 as FID's authors published it",
    "Apache-2.0",
    "https://github.com/toshas/torch-fidelity/blob/master/LICENSE.md",
    "unknown",
    _IMAGENET,
)
"""The TensorFlow weights of the FID paper, converted for torch by torch-fidelity."""

POSE_LANDMARKER = WeightsFile(
    "pose_landmarker_full.task",
    "https://storage.googleapis.com/mediapipe-models/pose_landmarker/pose_landmarker_full/float16/latest/"
    "pose_landmarker_full.task",
    "4eaa5eb7a98365221087693fcc286334cf0858e2eb6e15b506aa4a7ecdcec4ad",
    "MediaPipe's pose landmarker (full)",
    "Apache-2.0",
    "https://storage.googleapis.com/mediapipe-assets/Model%20Card%20BlazePose%20GHUM%203D.pdf",
    cache="skinfw",
    # MediaPipe 0.10's two pose models, repackaged for the Tasks API
    also=("45f1092d12658a841a9ba7e3942f09324a28335ef42fa8ac0ac8cb178aadd4dd",),
)
"""The file that the pose encoder ``mediapipe`` uses by default."""
