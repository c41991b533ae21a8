"""Tokens: keys to the site's forms, given out and taken back."""

from __future__ import annotations

import click

from catalogue.cli.here import Here, as_json, console, say_json, table, with_here


@click.group()
def token() -> None:
    """Say who may manage sources in the site.

    \b
    Example:
      fedcat token create "Jo Jones"
    """


@token.command()
@click.argument("name")
@as_json
@with_here
def create(here: Here, /, name: str, as_json: bool) -> None:
    """Make a token for somebody and print it, this once. Only a digest of it is kept.

    \b
    Example:
      fedcat token create "Jo Jones"
    """
    secret = here.store.tokens.create(name)
    if as_json:
        say_json({"name": name, "token": secret})
        return
    click.echo(secret)
    click.echo(f"Give it to {name}, who signs in with it at {here.settings.base_url}/sign-in.", err=True)


@token.command("list")
@as_json
@with_here
def list_(here: Here, /, as_json: bool) -> None:
    """List who holds a token, and who did.

    \b
    Example:
      fedcat token list
    """
    held = here.store.tokens.all()
    if as_json:
        say_json(held)
        return
    table(("Name", "Created", "Revoked"), [(one.name, one.created, one.revoked) for one in held])


@token.command()
@click.argument("name")
@with_here
def revoke(here: Here, /, name: str) -> None:
    """Take a token back: it opens nothing any more, and whoever is signed in with it is out at once.

    \b
    Example:
      fedcat token revoke "Jo Jones"
    """
    here.store.tokens.revoke(name)
    console.say(f"Revoked. '{name}' is signed out, and needs a new token to come back.")
