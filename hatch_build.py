"""Build hook: put registry.toml into standard wheels, beside the package that reads it.

An editable install reads the file of the checkout; a copy there would go stale.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManifestHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the manifest to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file to standard wheels only."""
        if version == "standard":
            build_data["force_include"]["registry.toml"] = "skinfw/registry.toml"
