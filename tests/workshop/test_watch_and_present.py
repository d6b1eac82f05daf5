"""A lesson over `ssh`, from both sides: the instructor watches a learner, then leads the class."""

from __future__ import annotations

from tests.workshop.workshop_server import CONFIRM, Server


def test_an_instructor_watches_a_learner_and_is_followed_each_at_their_own_size(served: Server) -> None:
    with (
        served.join("led") as learner,
        served.join("leader", key=served.instructor, size=(120, 40), wait=CONFIRM) as teacher,
    ):
        teacher.send("\r")
        teacher.wait_for(served.logged("listening")["key"])  # to be read aloud at the first logins
        learner.send("fb")
        learner.wait_for("next: update")
        teacher.send("/led\r")
        teacher.wait_for("next: update")
        teacher.send("\r")
        teacher.wait_for("led's bench, live")
        learner.wait_for("WATCHED")
        learner.send("u")
        teacher.wait_for("next: zero")
        assert max(map(len, teacher.text.splitlines())) > 80
        teacher.send("q")
        learner.wait_for(lambda text: "WATCHED" not in text)
        teacher.send("\x1b[17~")
        learner.wait_for("leader's bench, live")
        teacher.send("\x1bOQf")  # F2 goes to the own bench, f computes the loss
        teacher.wait_for("next: backward")
        learner.wait_for("next: backward")
        learner.send("\x1b[17~z")  # F6 leaves the feed: the own bench has not changed
        learner.wait_for("next: forward")
        learner.send("\x1b[17~")
        learner.wait_for("next: backward")
        teacher.send("\x1bOQ")  # F2: the board still shows changes
        teacher.wait_for("YOU PRESENT: 1 of 1 follow")
        learner.send("!")
        teacher.wait_for("1 hand up")
        teacher.send("\x1b[17~")
        teacher.wait_for("you have stopped presenting")
        learner.wait_for("next: forward")
