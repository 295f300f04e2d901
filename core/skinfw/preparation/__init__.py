"""From photos to sample folders: sources, filters, preparation of one photo, and engines."""
