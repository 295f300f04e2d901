"""Components: configurations, references, the registry that finds them, weights and trust."""
