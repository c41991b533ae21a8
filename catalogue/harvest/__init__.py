"""One source's descriptions, brought from its server to our store."""
