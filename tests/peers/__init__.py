"""Tests against real servers; `make test-peers` installs what they need and runs them."""
