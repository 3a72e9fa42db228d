"""Labels that people made: read from the files their tools write, judged, and prepared for training."""

from ml.training.labels.annotation import Annotation
from ml.training.labels.formats import read_labels

__all__ = ["Annotation", "read_labels"]
