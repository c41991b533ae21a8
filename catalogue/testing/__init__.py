"""Promises as tests, for whoever writes a harvester or a search engine: subclass the contract, give it yours, run pytest."""
