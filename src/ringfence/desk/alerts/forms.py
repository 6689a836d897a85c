"""What people write on an alert. The server's answer is the truth; actions check it again."""

from __future__ import annotations

from django import forms

from ringfence.desk.alerts.actions import LONGEST_TEXT
from ringfence.desk.alerts.models import Disposition

TOO_LONG = "Shorten this to 4,000 characters"


class NoteForm(forms.Form):
    """A line for the timeline."""

    text = forms.CharField(
        max_length=LONGEST_TEXT,
        error_messages={"required": "Enter a note", "max_length": TOO_LONG},
    )


class VerdictForm(forms.Form):
    """True, false or can’t tell, and why."""

    disposition = forms.ChoiceField(
        choices=Disposition.choices,
        error_messages={
            "required": "Select what you found: true, false, or can’t tell",
            "invalid_choice": "Select what you found: true, false, or can’t tell",
        },
    )
    reason = forms.CharField(
        max_length=LONGEST_TEXT,
        error_messages={"required": "Enter the reason for your verdict", "max_length": TOO_LONG},
    )


class ReasonForm(forms.Form):
    """Why somebody looks at a person (Data Protection Act 2018, s.62)."""

    PURPOSES = (
        ("supervision", "Supervising this person"),
        ("alert", "Following up an alert"),
        ("equipment", "Checking the tag or its fitting"),
        ("request", "Answering a request or a complaint"),
        ("other", "Something else"),
    )
    purpose = forms.ChoiceField(
        choices=PURPOSES,
        error_messages={
            "required": "Select what you need the record for",
            "invalid_choice": "Select what you need the record for",
        },
    )
    reason = forms.CharField(
        max_length=LONGEST_TEXT,
        error_messages={
            "required": "Enter why you need to see this person’s record",
            "max_length": TOO_LONG,
        },
    )
