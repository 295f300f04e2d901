"""A contact sheet of samples in the browser, on which a person strikes out the bad ones."""
