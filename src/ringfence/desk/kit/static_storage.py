"""Static files under names that hold a hash of their content, so that browsers keep them."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed names once the platform has collected the files; plain names before (tests)."""

    manifest_strict = False
    # The compressor leaves the hashed copy alone; the unhashed one would never be asked for.
    keep_only_hashed_files = True

    def stored_name(self, name: str) -> str:
        """The file's hashed name, or its own where nothing has been collected."""
        if not self.hashed_files:
            return name
        return str(super().stored_name(name))
