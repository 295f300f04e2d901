"""Components: configurations, references, the registry that finds them, their weights, and trust."""
