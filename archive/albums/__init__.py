"""Albums: assets put together by people, in an order of theirs."""
