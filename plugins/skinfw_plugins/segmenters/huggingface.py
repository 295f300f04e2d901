"""Semantic-segmentation models of transformers; needs the extra ``transformers``."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import torch
from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError
from torchvision.transforms.v2.functional import normalize
from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModelForSemanticSegmentation,
    PretrainedConfig,
)

from skinfw.components.config import Size
from skinfw.components.trust import VARIABLE, reject_connection
from skinfw.components.weights import file_sha256
from skinfw.data.photo import Photo
from skinfw.data.segmentation import LabelTable, RgbImage, Segmentation
from skinfw.errors import UserError, first_line
from skinfw.interfaces.segmenter import Segmenter
from skinfw.system.walk import walk
from skinfw_plugins.segmenters.config_labels import quoted
from skinfw_plugins.segmenters.config_networks import HuggingfaceConfig
from skinfw_plugins.segmenters.label_sets import LABEL_SETS, LabelSet, other_tables
from skinfw_plugins.segmenters.scores import best_class
from skinfw_plugins.shared.imagenet import IMAGENET_MEAN, IMAGENET_STD
from skinfw_plugins.shared.kernels import FIELDS, reject_kernel

SECONDS = 5.0
"""Timeout for the hub in seconds; transformers itself tries for up to a minute per file."""

SECONDS_VARIABLE = "HF_HUB_ETAG_TIMEOUT"
"""The hub's own variable for that timeout, in whole seconds; it overrides ``SECONDS``."""


AREA_SIZES: Mapping[str, Size] = {"fashn": (576, 384)}
"""By label set, the height and width of networks that were trained on photos resized by area (OpenCV's
``INTER_AREA``), not as their image processor resizes them."""


class HuggingfaceSegmenter(Segmenter[HuggingfaceConfig]):
    """Runs a transformers model on the CPU with its image processor."""

    @cached_property
    def _model(self) -> Any:
        config = self._load(AutoConfig)
        reject_kernels(config, self.config.model)
        return self._load(AutoModelForSemanticSegmentation, config=config, use_safetensors=True).eval()

    @cached_property
    def _processor(self) -> Any:
        return self._load(AutoImageProcessor)

    @cached_property
    def labels(self) -> LabelSet:
        """The classes of the model.

        Raises:
            UserError: the configuration's table does not fit them.
        """
        config = self._model.config
        own = tuple(str(config.id2label[code]) for code in range(config.num_labels))
        return label_set(own, self.config, self.config.model)

    @torch.inference_mode()
    def segment(self, photo: Photo) -> Segmentation:
        """Return the class of every pixel.

        Raises:
            DataError: the model returns NaN or infinity for the photo.
            UserError: the model cannot be loaded, or its classes are not those of the configuration.
        """
        labels = self.labels
        scores = self._model(pixel_values=self._values(photo.pixels)).logits[0].float().numpy()
        found = best_class(scores, photo.size, self.config.model)
        return Segmentation(found, labels.classes, labels.regions)

    def _values(self, pixels: RgbImage) -> torch.Tensor:
        """Return a photo as the network's input, float32 ``(1, 3, h, w)``."""
        size = AREA_SIZES.get(self.config.labels) if isinstance(self.config.labels, str) else None
        if size is not None:
            resized = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)
            scaled = torch.from_numpy(resized).permute(2, 0, 1)[None] / 255
            values: torch.Tensor = normalize(scaled, [*IMAGENET_MEAN], [*IMAGENET_STD])
            return values
        # PyTorch warns about read-only arrays
        prepared = self._processor(
            images=pixels.copy(), return_tensors="pt", input_data_format="channels_last"
        )
        values = prepared["pixel_values"]
        return values

    def other_tables(self) -> Mapping[str, LabelTable]:
        """Return the other label sets if the user chose one; a table of names fits the model or fails."""
        return other_tables(self.config.labels) if isinstance(self.config.labels, str) else {}

    def fingerprint(self) -> str:
        """Return a hash of the files of a folder, or the commit of a model on the hub.

        Raises:
            UserError: the model cannot be loaded, or its commit is not in the cache.
        """
        folder = Path(self.config.model)
        if not folder.is_dir():
            _ = self._model  # now it is in the cache, in a folder named after the commit
            cached = self._in_cache()
            if cached is None:
                raise UserError(
                    f"{self.config.model}: Hugging Face's cache ({constants.HF_HUB_CACHE}) does not contain "
                    "its commit, as config.json is missing; remove the model from the cache, so that it is "
                    "downloaded again, or set model to its folder"
                )
            return cached.parent.name
        digest = hashlib.sha256()
        for path in sorted((*folder.glob("*.json"), *folder.glob("*.safetensors"))):
            digest.update(f"{path.name}\0{file_sha256(path)}\0".encode())
        return digest.hexdigest()

    @cached_property
    def _on_disk(self) -> bool:
        """Whether to use only the disk: for a folder, and if the hub does not respond.

        Raises:
            UserError: the folder does not exist or contains a special file; or the hub does not respond, and
                the model was never downloaded.
        """
        model, revision = self.config.model, self.config.revision
        if Path(model).is_dir():
            for skipped in next(walk([Path(model)])).skipped:
                if skipped.kind == "special file":  # transformers would wait for it
                    raise UserError(f"{skipped.path}: {skipped.detail}; remove it from the model's folder")
            return True
        if Path(model).is_absolute():
            raise UserError(f"{model}: no such folder; give a model's folder, or its name on the hub")
        if self._in_cache() is None:
            reject_connection(f"{model} of {constants.ENDPOINT}")
        elif os.environ.get(VARIABLE) == "1":
            return True
        if constants.HF_HUB_OFFLINE:
            silence, slow = "HF_HUB_OFFLINE is set", ""
        else:
            found = hub_silence(model, revision)
            if found is None:
                return False
            silence = f"{constants.ENDPOINT} does not respond ({found})"
            slow = f"; if the network is slow, set {SECONDS_VARIABLE} to more seconds (now {hub_seconds():g})"
        if self._in_cache() is None:
            raise UserError(
                f"{model}: is not a folder, is not in Hugging Face's cache ({constants.HF_HUB_CACHE}), and "
                f"{silence}; download it on a machine with network access (hf download {model}) and copy the "
                f"cache, or set model to its folder{slow}"
            )
        return True

    def _in_cache(self) -> Path | None:
        """Return the path of the model's ``config.json`` in the cache: in a folder named after the commit."""
        found = try_to_load_from_cache(
            self.config.model, "config.json", constants.HF_HUB_CACHE, self.config.revision
        )
        # else None, or the marker of a file that the model is known to lack
        return Path(found) if isinstance(found, str) else None

    def _load(self, kind: Any, **options: Any) -> Any:
        on_disk = self._on_disk
        try:
            return kind.from_pretrained(
                self.config.model,
                revision=self.config.revision,
                local_files_only=on_disk,
                trust_remote_code=False,  # else it asks on the terminal whether to run a model's own code
                cache_dir=constants.HF_HUB_CACHE,  # transformers 4 has its own variable for it
                **options,
            )
        except Exception as error:  # transformers and the hub raise many exceptions
            raise UserError(
                f"{self.config.model}: not a semantic-segmentation model that transformers can load with its "
                f"processor and safetensors: {first_line(error)}"
            ) from error


def reject_kernels(config: PretrainedConfig, model: str) -> None:
    """Reject a model whose ``config.json`` refers to hub code that transformers would download and run.

    Args:
        config: its configuration.
        model: its name, for errors.

    Raises:
        UserError: it refers to an implementation outside PyTorch and transformers.
    """
    for name in FIELDS:
        reject_kernel(name, getattr(config, f"_{name}", None), model)
    for part in vars(config).values():
        if isinstance(part, PretrainedConfig):
            reject_kernels(part, model)


def hub_seconds() -> float:
    """Return the timeout of the hub in seconds."""
    return constants.HF_HUB_ETAG_TIMEOUT if SECONDS_VARIABLE in os.environ else SECONDS


def hub_silence(model: str, revision: str | None) -> str | None:
    """Return why Hugging Face's hub cannot be reached for a model, or None if it responds.

    It tries once, for up to `hub_seconds`. Rejecting the model also counts as a response.

    Args:
        model: the model's name on the hub.
        revision: branch, tag or commit; None: the newest.
    """
    try:
        get_hf_file_metadata(hf_hub_url(model, "config.json", revision=revision), timeout=hub_seconds())
    except HfHubHTTPError as error:
        # a proxy without network access responds like this too
        return first_line(error) if error.response.status_code >= 500 else None
    except Exception as error:  # whatever the hub's client raises, which changed over the years
        return first_line(error)
    return None


def label_set(own: tuple[str, ...], config: HuggingfaceConfig, model: str) -> LabelSet:
    """Return the classes and regions of a model.

    Args:
        own: the model's class names, by code.
        config: the table, and the region of classes that it does not list.
        model: its name, for errors.

    Raises:
        UserError: the table has another number of classes, lists classes that the model lacks, or omits some.
    """
    if isinstance(config.labels, str):
        found = LABEL_SETS[config.labels]
        if len(found.classes) != len(own):
            raise UserError(
                f"{model}: has {len(own)} classes ({quoted(own)}), but the label set {config.labels} has "
                f"{len(found.classes)}; choose another, or list the classes of each region"
            )
        return found
    regions = {region: list(members) for region, members in config.labels.items()}
    named = [name for members in regions.values() for name in members]
    unknown = [name for name in named if name not in own]
    if unknown:
        raise UserError(f"{model}: has no class {quoted(unknown)}; its classes are {quoted(own)}")
    rest = [name for name in own if name not in named]
    if rest and config.other is None:
        raise UserError(
            f"{model}: labels omits {quoted(rest)}; add them to regions, or set other to their region"
        )
    if rest and config.other is not None:
        regions.setdefault(config.other, []).extend(rest)
    return LabelSet(own, {region: tuple(members) for region, members in regions.items()})
