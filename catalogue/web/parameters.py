"""Parameters that pages other than the search take, read and checked."""

from __future__ import annotations

from flask import request

from catalogue.search.filters import MAX_PAGE, WrongParameter


def page() -> int:
    """`page` of this request, 1 when it is not given. Raises WrongParameter."""
    said = request.args.get("page", "").strip()
    if not said:
        return 1
    if not (said.isascii() and said.isdigit() and len(said) < 10 and 1 <= int(said) <= MAX_PAGE):
        shown = said if len(said) <= 40 else said[:39] + "…"
        raise WrongParameter("page", f"'page' is {shown!r}; it is a whole number from 1 to {MAX_PAGE:,}.")
    return int(said)
