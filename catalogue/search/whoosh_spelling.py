"""What somebody may have meant, or is about to type, from the words and titles that are in the index."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from catalogue.search import Query
from catalogue.search.whoosh_answer import best, find
from catalogue.search.whoosh_fields import stem
from catalogue.search.whoosh_match import Matcher, View
from catalogue.search.words import All, Prefix, Typed, Word, leaves, parse, spans

LONG = 5  # from so many letters on, two mistakes may be corrected
ENDINGS = 3  # ways to finish a word that are offered


def did_you_mean(view: View, query: Query, typed: Typed) -> str | None:
    """The same with every unknown word replaced by the likeliest known one, if that finds something."""
    wrong = [leaf for leaf in leaves(typed.tree) if isinstance(leaf, Word) and not _known(view, leaf.text)]
    better = [(leaf, _nearest(view, leaf.text)) for leaf in wrong]
    text = typed.text
    for leaf, word in sorted(better, key=lambda each: -each[0].start):
        if word is None:
            return None
        text = text[: leaf.start] + word + text[leaf.end :]
    found = wrong and find(view, query, Matcher(view, parse(text))).hits()
    return text if found and any(found) else None


def suggestions(view: View, begun: str, limit: int) -> tuple[str, ...]:
    """Titles that begin so, the likeliest ways to finish the last word, then what else has all the words."""
    typed = _unfinished(parse(begun))
    if typed.tree is None or limit < 1:
        return ()
    query, matcher = Query(words=begun, per_page=3 * limit), Matcher(view, typed)
    titles = [
        part.segment.title(number) for part, number, _ in best(view, query, matcher, find(view, query, matcher).hits())
    ]
    begins = _folded(begun)
    unfinished = typed.tree.of[-1]
    endings = view.endings(unfinished.text)[:ENDINGS] if isinstance(unfinished, Prefix) else []
    *_, (start, _, _) = spans(typed.text)
    finished = [typed.text[:start] + word for word, _ in endings]
    first = [title for title in titles if _folded(title).startswith(begins)]
    offered: dict[str, str] = {}
    for text in (*first, *finished, *titles):
        offered.setdefault(_folded(text), text)
    return tuple(offered.values())[:limit]


def _folded(text: str) -> str:
    """A text as it is compared with another as a whole."""
    return " ".join(word for _, _, word in spans(text))


def _unfinished(typed: Typed) -> Typed:
    nodes = typed.tree.of if typed.tree else ()
    last = nodes[-1] if nodes else None
    return replace(typed, tree=All((*nodes[:-1], Prefix(last.text)))) if isinstance(last, Word) else typed


def _known(view: View, word: str) -> bool:
    return any(part.segment.postings("text", stem(word)).bitmap & part.live for part in view.parts)


def _nearest(view: View, wrong: str) -> str | None:
    """The known word with the fewest mistakes between, the commonest of those."""
    most = 2 if len(wrong) >= LONG else 1
    letters = set(wrong)
    known: Counter[str] = Counter()
    for letter in dict.fromkeys(wrong[:2]):  # the first letter may be superfluous, or the second one's place
        for part in view.parts:
            lexicon = part.segment.lexicon(letter)
            for word, count in zip(lexicon.words, lexicon.counts, strict=True):
                if abs(len(word) - len(wrong)) <= most and len(letters.symmetric_difference(word)) <= 2 * most:
                    known[word] += count
    near = ((found, -count, word) for word, count in known.items() if (found := mistakes(wrong, word, most)) <= most)
    return min(near, default=(0, 0, None))[2]


def mistakes(one: str, other: str, most: int) -> int:
    """How many letters are wrong, missing, superfluous or swapped with their neighbour; counting stops above `most`."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, against in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
