"""The version of gradstep, in one place: the build reads it from here, and so does `gradstep --version`."""

__version__ = "0.2.0.dev0"
