"""The subcommands of `gradstep` and their options."""
