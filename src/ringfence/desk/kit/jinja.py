"""The environment in which every page is rendered."""

from __future__ import annotations

from typing import Any

from django.contrib.messages import get_messages
from django.forms import BaseForm
from django.templatetags.static import static
from django.urls import reverse
from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader, PrefixLoader

from ringfence.desk.kit import words
from ringfence.desk.kit.clock import from_ms, now


def environment(**options: Any) -> Environment:
    """Build the Jinja2 environment (`OPTIONS["environment"]` of Django's Jinja2 backend)."""
    govuk = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    options["loader"] = ChoiceLoader([options["loader"], govuk])
    # govuk-frontend-jinja looks up parameters that a caller left out.
    options["undefined"] = ChainableUndefined
    env = Environment(**options, trim_blocks=True, lstrip_blocks=True)  # noqa: S701 -- Django's
    # backend passes autoescape=True in options.
    env.globals.update(static=static, url=_url, now=now, messages_for=get_messages)
    env.filters.update(
        london=words.london,
        london_exact=words.london_exact,
        clock_time=words.clock_time,
        iso=words.iso,
        span=words.span,
        age=words.age,
        metres=words.metres,
        probable=words.probable,
        course=words.course,
        speed=words.speed,
        state=words.state,
        kind=words.kind,
        from_ms=from_ms,
        error=error,
        error_list=error_list,
    )
    return env


def error(form: BaseForm, field: str) -> dict[str, str] | None:
    """A field's first error, as the GOV.UK macros take it; None without one."""
    errors = form.errors.get(field)
    return {"text": str(errors[0])} if errors else None


def error_list(form: BaseForm) -> list[dict[str, str]]:
    """Every error of a form for the GOV.UK error summary, each leading to its field."""
    whole = [{"text": str(text)} for text in form.non_field_errors()]
    fields = [
        {"text": str(text), "href": f"#{form[name].id_for_label}"}
        for name, errors in form.errors.items()
        if name in form.fields
        for text in errors
    ]
    return whole + fields


def _url(name: str, *args: Any, **kwargs: Any) -> str:
    return reverse(name, args=args, kwargs=kwargs)
