"""Render audit.json as audit.html."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from artnet.html.render import render


def audit_page(name: str, summary: Mapping[str, Any]) -> str:
    """Return the HTML page of an audit, as `audit.audit` returns it, of the dataset `name`."""
    return render("audit.html.j2", name=name, audit=summary)
