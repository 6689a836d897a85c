"""Compile the kernel at install, so that no user waits for it."""
