"""The file that `gradstep lesson new` writes: a small whole lesson, with comments."""

from __future__ import annotations

from typing import Final

TEMPLATE: Final = """\
+++
format = 1
id = "{id}"                     # small letters, digits and dashes
title = "{title}"
idea = "Which wrong idea is this lesson about? One sentence, for the list of lessons."
problem = "line"                # `gradstep list` lists the problems
start = ["epoch"]               # commands that lead to the start of the lesson
+++
This text is read before the first step. A paragraph has at most four rows of 78 characters.

The id of a key in braces is shown as the key itself: here {{forward}} runs the forward pass.

```task look
# Something to do. The word after `task` is the step's id.
ask = "Run the forward pass with {{forward}}, and look at the loss."
done = {{ did = "forward" }}      # more: opened, verdict, seen, fact, all, any, none
hints = [
  "Where to look.",
  "The principle.",
  "A worked step, on other numbers.",
]
solution = ["forward"]          # commands that do it: skipping does them, and the check as well
then = "What has been seen. It stays until the learner goes on."
```

```predict slope
# A number, or an outcome, to predict before it is shown.
ask = "What will `w.grad` be after backward?"
value = "w.grad"                # w, w.grad[0, 1], move of w, loss, direction, outcome, gradient 7[0, 1]
after = ["backward"]            # commands that run between the answer and the reveal
hints = [
  "Where to look.",
  "The principle.",
  "A worked step, on other numbers.",
]
[slips]                         # a sentence for each wrong idea that can come up
negated = "Look at the sign: the loss falls if `w` grows."
```

```choose why
# A question with two to five answers.
ask = "Which line moves `w`?"
answers = ["backward", "update"]
right = "update"
hints = [
  "Where to look.",
  "The principle.",
  "A worked step, on other numbers.",
]
[because]                       # a sentence for each wrong answer
backward = "Backward writes into `.grad`, and into nothing else."
```

This text is read at the end.
"""
"""The lesson; `id` and `title` are filled in."""
