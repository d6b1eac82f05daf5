"""Messages between the server and the processes of its learners."""
