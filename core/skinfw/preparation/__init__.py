"""From photos to sample folders: sources, filters, the work on one photo, and who does it."""
