"""Space: who decides in which form originals are kept, making them smaller, what that saved. See docs/space.md."""
