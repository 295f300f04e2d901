"""Files, folders, processes and devices."""
