"""Looking through sample folders for what would spoil training; a module a family of checks."""
