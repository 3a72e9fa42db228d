"""Making data, training on it, and judging what was trained. Only here may PyTorch be imported (the ``train`` extra)."""
