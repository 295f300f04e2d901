"""Components: their configurations, the registry that finds them, and how one is built."""
