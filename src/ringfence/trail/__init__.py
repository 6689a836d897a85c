"""Fixes and conditions at rest: files in, files out."""
