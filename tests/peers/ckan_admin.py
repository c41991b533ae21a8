"""Makes the administrator of a new CKAN and prints an API token of theirs.

    tests/.run/ckan/bin/python tests/peers/ckan_admin.py CKAN.INI

One program instead of three `ckan` commands, each of which would start CKAN anew.
"""

import secrets
import sys

from ckan import model
from ckan.cli import load_config
from ckan.config.middleware import make_app
from ckan.plugins.toolkit import get_action

NAME = "admin"

with make_app(load_config(sys.argv[1]))._wsgi_app.test_request_context():
    trusted = {"ignore_auth": True}
    person = {"name": NAME, "email": "admin@example.org", "password": secrets.token_hex()}
    get_action("user_create")(dict(trusted), person)
    model.User.get(NAME).sysadmin = True
    model.repo.commit()
    print(get_action("api_token_create")({**trusted, "user": NAME}, {"user": NAME, "name": "tests"})["token"])
