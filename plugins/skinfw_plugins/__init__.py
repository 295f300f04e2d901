"""The built-in components of skinfw, listed in registry.toml."""
