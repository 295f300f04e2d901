"""A contact sheet of samples in the browser, on which a person excludes the bad ones."""
