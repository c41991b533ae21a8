"""Workers are killed again and again, at any moment: the harvest ends as if nobody had been."""

from __future__ import annotations

import pytest
from crew import KILLS, killed_again_and_again


@pytest.mark.slow
@pytest.mark.parametrize("etags", [True, False], ids=["etags", "no-etags"])
def test_a_harvest_killed_again_and_again_ends_as_an_undisturbed_one(tmp_path, etags, capsys):
    if KILLS > 50 and not etags:
        pytest.skip("the long run is made once")
    figures = killed_again_and_again(f"sqlite:///{tmp_path}/fedcat.db", tmp_path, etags=etags)
    with capsys.disabled():
        print(f"\nSQLite: {figures}")
