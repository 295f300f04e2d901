"""The built-in components of skinfw; registry.toml says which."""
