"""Tiny pipelines of diffusers with random weights, in the folders that the library writes."""

from __future__ import annotations

import json
from pathlib import Path
from string import ascii_lowercase

MAX_WORDS = 16


def save_pipeline(folder: Path, *, inpainting: bool = True, seed: int = 0) -> Path:
    """Write a Stable Diffusion pipeline whose autoencoder halves images once, and return its folder.

    Args:
        folder: the folder to write.
        inpainting: a UNet of 9 channels, which also sees the mask; else a text-to-image pipeline.
        seed: the seed of its weights.
    """
    import torch
    from diffusers import (
        AutoencoderKL,
        DDIMScheduler,
        StableDiffusionInpaintPipeline,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    words = _write_words(folder / "words")
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        unet = UNet2DConditionModel(
            sample_size=8,
            in_channels=9 if inpainting else 4,
            out_channels=4,
            block_out_channels=(4, 8),
            layers_per_block=1,
            norm_num_groups=2,
            attention_head_dim=2,
            cross_attention_dim=8,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        )
        vae = AutoencoderKL(
            block_out_channels=(4, 4),
            latent_channels=4,
            norm_num_groups=2,
            sample_size=16,
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
        )
        text_encoder = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=words,
                hidden_size=8,
                intermediate_size=8,
                num_hidden_layers=1,
                num_attention_heads=2,
                max_position_embeddings=MAX_WORDS,
                bos_token_id=0,
                eos_token_id=1,
            )
        )
    kind = StableDiffusionInpaintPipeline if inpainting else StableDiffusionPipeline
    pipeline = kind(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=CLIPTokenizer.from_pretrained(folder / "words"),
        unet=unet,
        scheduler=DDIMScheduler(clip_sample=False, set_alpha_to_one=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    return folder


def _write_words(folder: Path) -> int:
    """Write a CLIP tokenizer that knows single letters, and return how many words that are."""
    folder.mkdir(parents=True)
    words = [
        "<|startoftext|>",
        "<|endoftext|>",
        *ascii_lowercase,
        *(f"{each}</w>" for each in ascii_lowercase),
    ]
    (folder / "vocab.json").write_text(json.dumps({word: code for code, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": MAX_WORDS}))
    return len(words)
