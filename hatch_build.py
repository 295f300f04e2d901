"""Build hook: put files of the checkout into standard wheels, beside the package that reads them.

An editable install reads the files of the checkout; copies there would go stale.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = ("registry.toml", "examples/photos.json", "examples/quickstart.json")
"""The manifest, and the specs that ``skinfw init`` starts from."""


class ManifestHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the files to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files to standard wheels only."""
        if version == "standard":
            build_data["force_include"].update({name: f"skinfw/{name}" for name in FILES})
