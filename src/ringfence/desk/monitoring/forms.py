"""What people write on the quarantine's pages."""

from __future__ import annotations

from django import forms

LONGEST_TEXT = 4000
TOO_LONG = "Shorten this to 4,000 characters"


class QuarantineReasonForm(forms.Form):
    """Why somebody looks at what was set apart: asked once a session."""

    reason = forms.CharField(
        max_length=LONGEST_TEXT,
        error_messages={
            "required": "Enter why you need to see the quarantine",
            "max_length": TOO_LONG,
        },
    )


class RedecodeForm(forms.Form):
    """Why it is decoded again; and whose it is, where nobody knew."""

    why = forms.CharField(
        max_length=LONGEST_TEXT,
        error_messages={"required": "Enter why you decode it again", "max_length": TOO_LONG},
    )
    tag = forms.CharField(max_length=64, required=False)

    def __init__(self, *args: object, expected: str = "", **kwargs: object) -> None:
        """`expected` is the name that must be typed; empty = none."""
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.expected = expected

    def clean_tag(self) -> str:
        """The tag's name, typed by a person."""
        said = str(self.cleaned_data["tag"]).strip()
        if self.expected and said != self.expected:
            raise forms.ValidationError("Enter the name of the tag whose reports these are")
        return said if self.expected else ""
