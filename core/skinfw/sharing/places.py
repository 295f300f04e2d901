"""What a shared run tells about your machine: of its places, only the last part."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from skinfw.components.outside import is_address
from skinfw.components.relocate import spec_for_others, without_folders
from skinfw.components.trust import named_outside
from skinfw.runs.checkpoint_header import KEY
from skinfw.runs.checkpoints import Checkpoint
from skinfw.runs.folder import Run


@dataclass(frozen=True)
class Places:
    """The places that a run names, and what is shared of it instead.

    Attributes:
        spec: the filled spec without them.
        named: the paths and programs, and the last parts of addresses, that the run's own spec names in full
            and this one does not.
        known: all places that the spec names, and the run folder, longest first: texts may mention them.
    """

    spec: dict[str, Any]
    named: tuple[str, ...]
    known: tuple[str, ...]

    @classmethod
    def of(cls, run: Run) -> Places:
        """Find the places of a run."""
        own = run.spec.to_json()
        spec = spec_for_others(own)
        before, after = json.dumps(own), json.dumps(spec)
        outside = {each.value for each in named_outside(run.spec, training=True) if each.kind != "hub"}
        gone = [each for each in outside if json.dumps(each) in before and json.dumps(each) not in after]
        shown = sorted(without_folders(each) if is_address(each) else each for each in gone)
        # a folder such as /data tells nothing, and may be part of other words
        known = [each for each in outside if is_address(each) or len(Path(each).parts) > 2]
        known.append(str(run.folder.absolute()))
        return cls(spec, tuple(shown), tuple(sorted(known, key=len, reverse=True)))

    def removed(self, value: Any) -> Any:
        """Return JSON with every known place in its texts shortened to its last part."""
        if isinstance(value, dict):
            return {key: self.removed(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.removed(part) for part in value]
        if isinstance(value, str):
            for place in self.known:
                value = value.replace(place, without_folders(place))
        return value

    def write_checkpoint(self, checkpoint: Checkpoint, path: Path) -> None:
        """Write a checkpoint: as it is, or with the spec without places, which its signature does not fit."""
        if not self.named:
            shutil.copyfile(checkpoint.path, path)
            return
        about = {key: value for key, value in checkpoint.about.items() if key != "signature"}
        about["spec"] = spec_for_others(about["spec"])
        about["components"] = without_folders(about["components"])
        save_file(dict(checkpoint.tensors), path, metadata={KEY: json.dumps(self.removed(about))})
