"""The process of one learner or instructor: forked by the forkserver, with an app of its own."""
