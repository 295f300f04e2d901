"""Serving models over HTTP, with a page to paint on. Needs the extra ``serve``; imports no torch."""
