"""Staff and what their roles permit."""
