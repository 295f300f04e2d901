"""The ONNX file that an export writes, and what it says about itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from skinfw.errors import RunError
from skinfw.runtime.metadata import KEY, ModelMetadata, read_metadata
from skinfw.system.json_file import replacing

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from onnx import ModelProto


def update_metadata(path: Path, **changes: Any) -> None:
    """Change what an exported file says about itself.

    Args:
        path: the file.
        **changes: new values of fields of `skinfw.runtime.metadata.ModelMetadata`.

    Raises:
        UserError: it was not exported by skinfw.
    """
    import onnx

    metadata = read_metadata(path).model_copy(update=changes)
    model = onnx.load(path)
    with replacing(path) as temporary:
        write_model(model, metadata, temporary)


def _forget_origin(message: Message) -> None:
    """Delete what torch notes in a graph about the code that it comes from: files, source lines, names."""
    for field, value in message.ListFields():
        if field.name in ("metadata_props", "doc_string"):
            message.ClearField(field.name)
        elif field.message_type is not None:
            for part in [value] if hasattr(value, "ListFields") else value:
                _forget_origin(part)


def write_model(model: ModelProto, metadata: ModelMetadata, path: Path) -> None:
    """Write a graph with its metadata.

    Raises:
        RunError: it is too large for one file.
    """
    _forget_origin(model)
    model.metadata_props.add(key=KEY, value=metadata.model_dump_json())
    try:
        content = model.SerializeToString()
    except ValueError as error:  # protobuf's limit is 2 GB
        raise RunError(
            f"the network is too large for one ONNX file: {error}; train a narrower one"
        ) from error
    path.write_bytes(content)
