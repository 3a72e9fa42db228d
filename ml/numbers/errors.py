"""What can go wrong when numbers are read.

NumbersError
├── GrammarInvalid    a country's file cannot be understood
├── ModelDamaged      weights are missing or are not the bytes their record names
└── LabelsInvalid     a file of labels cannot be understood; the message names the row
"""

from __future__ import annotations


class NumbersError(Exception):
    """Whatever the reading of numbers refuses."""


class GrammarInvalid(NumbersError):
    """A country's file cannot be understood."""


class ModelDamaged(NumbersError):
    """Weights are missing or are not the bytes their record names."""


class LabelsInvalid(NumbersError):
    """A file of labels cannot be understood."""
