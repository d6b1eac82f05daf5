"""Messages between the server and the bench processes. Neither side imports the other one."""
