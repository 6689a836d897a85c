"""Speed and quality, measured beside named peers in the same run: `python -m bench [NAME …]`."""
