"""Semantic-segmentation models of transformers; needs the extra ``transformers``."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError
from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModelForSemanticSegmentation,
    PretrainedConfig,
)

from skinfw.components.trust import VARIABLE, reject_connection
from skinfw.components.weights import file_sha256
from skinfw.data.photo import Photo
from skinfw.data.segmentation import LabelTable, Segmentation
from skinfw.errors import UserError, first_line
from skinfw.interfaces.segmenter import Segmenter
from skinfw.system.walk import walk
from skinfw_plugins.segmenters.config_labels import quoted
from skinfw_plugins.segmenters.config_networks import HuggingfaceConfig
from skinfw_plugins.segmenters.label_sets import LABEL_SETS, LabelSet, other_tables
from skinfw_plugins.segmenters.scores import best_class

SECONDS = 5.0
"""How long the hub may take to say that it is there; transformers itself tries for up to a minute a file."""

SECONDS_VARIABLE = "HF_HUB_ETAG_TIMEOUT"
"""The hub's own setting of that time, in whole seconds; it goes before ``SECONDS``."""


BUILT_IN = (None, "eager", "sdpa")
"""Implementations of attention that are not fetched; None leaves the choice to transformers."""


class HuggingfaceSegmenter(Segmenter[HuggingfaceConfig]):
    """Runs a model of transformers on the CPU, with the image processor that lies beside it."""

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
            DataError: the model gives NaN or infinity for the photo.
            UserError: the model cannot be loaded, or its classes are not those of the configuration.
        """
        labels = self.labels
        pixels = photo.pixels.copy()  # PyTorch warns of arrays that are read-only
        made = self._processor(images=pixels, return_tensors="pt", input_data_format="channels_last")
        scores = self._model(pixel_values=made["pixel_values"]).logits[0].float().numpy()
        found = best_class(scores, photo.size, self.config.model)
        return Segmentation(found, labels.classes, labels.regions)

    def other_tables(self) -> Mapping[str, LabelTable]:
        """Return the other label sets where the user named one; a table of names fits the model, or fails."""
        return other_tables(self.config.labels) if isinstance(self.config.labels, str) else {}

    def fingerprint(self) -> str:
        """Return a hash of the files of a folder, or the commit of a model on the hub.

        Raises:
            UserError: the model cannot be loaded, or the cache does not tell its commit.
        """
        folder = Path(self.config.model)
        if not folder.is_dir():
            _ = self._model  # it is in the cache from now on, in a folder called by the commit
            cached = self._in_cache()
            if cached is None:
                raise UserError(
                    f"{self.config.model}: Hugging Face's cache ({constants.HF_HUB_CACHE}) does not tell its "
                    "commit, as it has no config.json of it; remove the model from the cache, so that it is "
                    "fetched again, or give its folder as model"
                )
            return cached.parent.name
        digest = hashlib.sha256()
        for path in sorted((*folder.glob("*.json"), *folder.glob("*.safetensors"))):
            digest.update(f"{path.name}\0{file_sha256(path)}\0".encode())
        return digest.hexdigest()

    @cached_property
    def _on_disk(self) -> bool:
        """Whether only the disk is looked at: for a folder, and where the hub does not answer.

        Raises:
            UserError: there is no such folder, or a special file is in it; or the hub does not answer, and
                the model was never fetched.
        """
        model, revision = self.config.model, self.config.revision
        if Path(model).is_dir():
            for skipped in next(walk([Path(model)])).skipped:
                if skipped.kind == "special file":  # transformers would wait for it
                    raise UserError(
                        f"{skipped.path}: {skipped.detail}; remove it from the folder of the model"
                    )
            return True
        if Path(model).is_absolute():
            raise UserError(f"{model}: no such folder; give the folder of a model, or its name on the hub")
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
            silence = f"{constants.ENDPOINT} does not answer ({found})"
            slow = (
                f"; where the network is slow, set {SECONDS_VARIABLE} to more seconds ({hub_seconds():g} now)"
            )
        if self._in_cache() is None:
            raise UserError(
                f"{model}: is not a folder, is not in Hugging Face's cache ({constants.HF_HUB_CACHE}), and "
                f"{silence}; fetch it where there is a network (hf download {model}) and copy the cache, or "
                f"give its folder as model{slow}"
            )
        return True

    def _in_cache(self) -> Path | None:
        """Return where the cache has the model's ``config.json``: in a folder called by the commit."""
        found = try_to_load_from_cache(
            self.config.model, "config.json", constants.HF_HUB_CACHE, self.config.revision
        )
        # else None, or the mark of a file that the model is known to lack
        return Path(found) if isinstance(found, str) else None

    def _load(self, kind: Any, **options: Any) -> Any:
        on_disk = self._on_disk
        try:
            return kind.from_pretrained(
                self.config.model,
                revision=self.config.revision,
                local_files_only=on_disk,
                trust_remote_code=False,  # else it asks on the terminal whether to run a model's own code
                cache_dir=constants.HF_HUB_CACHE,  # where transformers 4 has a variable of its own
                **options,
            )
        except Exception as error:  # transformers and the hub raise many kinds
            raise UserError(
                f"{self.config.model}: no semantic-segmentation model that transformers can load with its "
                f"processor and safetensors: {first_line(error)}"
            ) from error


def reject_kernels(config: PretrainedConfig, model: str) -> None:
    """Reject a model whose ``config.json`` names code of the hub that transformers would fetch and run.

    Args:
        config: its configuration.
        model: its name, for errors.

    Raises:
        UserError: it names an implementation that is not part of PyTorch or transformers.
    """
    for name in ("attn_implementation", "experts_implementation"):
        named = getattr(config, f"_{name}", None)
        if named not in BUILT_IN:
            raise UserError(
                f"{model}: its config.json sets {name} to {named!r}, for which transformers may run code of "
                "the hub; nothing was loaded. Set it to eager or sdpa, or remove it"
            )
    for part in vars(config).values():
        if isinstance(part, PretrainedConfig):
            reject_kernels(part, model)


def hub_seconds() -> float:
    """Return how many seconds the hub may take to answer."""
    return constants.HF_HUB_ETAG_TIMEOUT if SECONDS_VARIABLE in os.environ else SECONDS


def hub_silence(model: str, revision: str | None) -> str | None:
    """Return why Hugging Face's hub cannot be asked about a model, or None where it answers.

    It is asked once, and given up after `hub_seconds`. An answer that rejects the model is one.

    Args:
        model: the model's name on the hub.
        revision: branch, tag or commit; None: the newest.
    """
    try:
        get_hf_file_metadata(hf_hub_url(model, "config.json", revision=revision), timeout=hub_seconds())
    except HfHubHTTPError as error:
        # a proxy without a network answers so too
        return first_line(error) if error.response.status_code >= 500 else None
    except Exception as error:  # whatever the hub's own client raises, which changed over the years
        return first_line(error)
    return None


def label_set(own: tuple[str, ...], config: HuggingfaceConfig, model: str) -> LabelSet:
    """Return the classes and regions of a model.

    Args:
        own: what the model calls its classes, by code.
        config: the table, and the region of what it does not name.
        model: its name, for errors.

    Raises:
        UserError: the table is for another number of classes, names classes that the model lacks, or leaves
            some out.
    """
    if isinstance(config.labels, str):
        found = LABEL_SETS[config.labels]
        if len(found.classes) != len(own):
            raise UserError(
                f"{model}: has {len(own)} classes ({quoted(own)}), the label set {config.labels} has "
                f"{len(found.classes)}; choose another, or say which of its classes are which region"
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
            f"{model}: labels leaves out {quoted(rest)}; put them into regions, or say with other which "
            "region they belong to"
        )
    if rest and config.other is not None:
        regions.setdefault(config.other, []).extend(rest)
    return LabelSet(own, {region: tuple(members) for region, members in regions.items()})
