"""What other programs keep on this computer, a small file for each of them; every file is only ever read."""
