"""The built-in harvesters, each one file that reads one kind of source; `read.py` has what they share.

How to write one: a class with four facts about itself and two methods. `fetch` goes out through the client it is handed
and gives every record as the source wrote it; `map` says what one record describes, and cannot go out at all. One line
under `[project.entry-points."fedcat.harvesters"]` makes it known. Here is one for lists of titles, one on a line:

>>> from catalogue.dcat import Dataset, Identifier, Slug
>>> from catalogue.http import Response
>>> from catalogue.source import HarvestSource, SourceRecord
>>> from harvesters.read import describe, rows, texts
>>> class Titles:
...     name, title, options = "titles", "A list of titles", ()
...     sample = "https://example.gov.uk/titles.txt"
...
...     def fetch(self, source, client, visit=None):
...         for number, line in enumerate(client.get(source.url).content.splitlines(), 1):
...             yield SourceRecord(Identifier(str(number)), line, "text/plain", source.url, f"line {number}")
...
...     def map(self, record, source):
...         yield describe(Dataset, {"line": record.content.decode()}, rows(texts, titles="line"))

What goes in is bytes, what comes out are the nouns of DCAT:

>>> class Recorded:
...     def get(self, url):
...         return Response.of(b"Bus stops\\nCycle lanes")
>>> source = HarvestSource(name=Slug("towns"), type="titles", url=Titles.sample)
>>> for record in Titles().fetch(source, Recorded()):
...     print(record.identifier, *(text.value for found in Titles().map(record, source) for text in found.titles))
1 Bus stops
2 Cycle lanes

A record that cannot be read becomes a `Problem`; a source that has to be given up raises `SourceUnavailable`, and then
nothing is withdrawn. Map only what was said: words stay words, and the steps after this one mend licences, formats and dates.
"""
