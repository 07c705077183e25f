"""The reviews that were made, kept as JSON: made where the data are, read by a console that has none.

    reviews/shop/2026-04-01_2026-07-01_90d.json

A file is whole before it has its name, and a review of the same days replaces the one before.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

from decisions.reviews.review import Review
from keepwell.errors import StoreError
from keepwell.files import write_text


class ReviewShelf:
    """The reviews below `folder`, which is made when the first is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, review: Review) -> Path:
        """Write a review; its file. Raises OSError where it cannot be written."""
        place = self._place(review.company)
        place.mkdir(parents=True, exist_ok=True)
        file = place / f"{review.since}_{review.as_of}_{review.horizon_days}d.json"
        write_text(file, json.dumps(review.as_dict(), default=str, indent=1, ensure_ascii=False) + "\n")
        return file

    def names(self, company: str) -> tuple[str, ...]:
        """The names of a company's reviews, that of the latest days first; empty where none were kept.

        >>> ReviewShelf(Path("no-such-folder")).names("shop")
        ()
        """
        return tuple(sorted((file.stem for file in self._place(company).glob("*_*_*d.json")), key=_until, reverse=True))

    def read(self, company: str, name: str) -> Review:
        """One review. Raises StoreError for a name that `names` does not have, and for a file that cannot be read."""
        if name not in self.names(company):
            raise StoreError(f"there is no review {name[:50]!r}", hint="look at the newest one")
        file = self._place(company) / f"{name}.json"
        try:
            return Review.from_dict(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"the review {name} cannot be read", hint="make it again: keepwell review DATA --since DATE"
            ) from error

    def _place(self, company: str) -> Path:
        return self.folder / quote(company, safe=" ").replace(".", "%2E")  # `..` is a name, too


def _until(name: str) -> tuple[str, str]:
    """By the day until which it was judged, then by how short it is."""
    since, until, *_ = name.split("_")
    return until, since
