"""Making data, training on it, judging what was trained. PyTorch (the ``train`` extra) is imported only here."""
