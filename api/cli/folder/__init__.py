"""What 'duplicates' and 'quality' share: looking at the files of a folder, without a server, and acting on them."""
