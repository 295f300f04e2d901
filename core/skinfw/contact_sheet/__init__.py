"""A contact sheet of samples in the browser, for excluding bad ones by hand."""
