"""How the ports are filled: the only code that touches disks, sockets, clocks and other programs."""
