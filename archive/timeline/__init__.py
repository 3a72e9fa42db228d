"""The timeline: what a library has, day by day, through filters; and the tiles that every list shows."""
