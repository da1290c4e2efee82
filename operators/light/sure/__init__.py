"""What is surely wrong with a photo's colours, so that it may be mended without being asked for."""
