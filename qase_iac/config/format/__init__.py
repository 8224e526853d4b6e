"""One canonical layout for the files of a project folder: `canonical` works it out and proves that it says the same.

The tree of `config/edit/source.py` is laid out anew, with every comment attached to what it stands above or behind;
texts keep their own lines. What cannot be laid out for sure is refused, never guessed.
"""

from qase_iac.config.format.canonical import Formatted, canonical

__all__ = ["Formatted", "canonical"]
