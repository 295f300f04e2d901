"""Hashes of samples: the same for the same files, in a folder and in a shard."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from skinfw.data.sample_files import SampleFiles
from skinfw.data.sample_folder import RECORD_FILE, record_of
from skinfw.errors import DataError


def fingerprint_of(hashes: Mapping[str, str]) -> str:
    """Return a hash of samples by their names and hashes, in their order."""
    digest = hashlib.sha256()
    for name, content in hashes.items():
        digest.update(f"{name}\0{content}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def sample_hash(files: SampleFiles) -> str:
    """Return a hash of the names and contents of a sample's files, SHA-256 in hex.

    Raises:
        DataError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for name in sorted(name for name in files.names if files.has(name)):
        digest.update(f"{name}\0{_content(files, name)}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _content(files: SampleFiles, name: str) -> str:
    """Return a hash of the content of a sample's file.

    For the record, only the values that affect reading and splitting count: its paths and versions differ
    when the same photos are prepared elsewhere.

    Raises:
        DataError: the file cannot be read.
    """
    if name == RECORD_FILE:
        record = record_of(files) or {}
        facts, made_with = record.get("facts") or {}, record.get("made_with")
        encoder = made_with.get("pose_encoder") if isinstance(made_with, dict) else None
        # samples prepared without it keep their hash
        mirrored = {key: value for key, value in facts.items() if key == "mirrored_phash"}
        read = {
            **{key: record.get(key) for key in ("classes", "regions", "group")},
            "phash": facts.get("phash"),
            **mirrored,
            "draw": encoder.get("draw") if isinstance(encoder, dict) else None,
        }
        return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()
    try:
        return files.sha256(name)
    except OSError as error:
        raise DataError(f"{files.where / name}: cannot be read: {error.strerror}") from error
