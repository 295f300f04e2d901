"""Files, folders, processes and devices: what skinfw asks of the machine."""
