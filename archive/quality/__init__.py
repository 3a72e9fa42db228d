"""Quality: scores and verdicts of assets, the queue in which people answer them, and the order best first."""
