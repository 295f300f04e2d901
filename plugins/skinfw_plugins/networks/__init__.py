"""Networks and files of networks that several components use."""
