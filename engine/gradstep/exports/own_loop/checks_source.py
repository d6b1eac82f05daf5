"""Source of what an exported script has beside the learner's text: it counts rounds, compares, and stops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

BEGIN: Final = '''\
def {session}():
    """Return the object that counts rounds, compares their numbers with the session's, and stops there."""
    import atexit
    import functools
    import os
    import platform
    import random
    import sys

    import torch

    inf, nan = torch.inf, torch.nan
{places}

    # gradstep seeds the random generators before it runs a script.
    torch.manual_seed({seed})
    random.seed({small})
    try:
        import numpy

        numpy.random.seed({small})
    except ImportError:
        pass
{compiling}
    rounds, where = {rounds}, {where!r}  # of the session: rounds that were over, and where it stood then
    earlier = {earlier}  # rounds of the loop before its first backward pass, which are not counted
{losses}
    machine = {machine}
    # On this machine every number is the same to the last bit. Another may add numbers in another order and
    # so round them differently: there, numbers may differ by this part of their value, or of the largest.
    rtol, atol = {rtol:g}, {atol:g}

    def processor():
        """Return the name of this machine's processor."""
        try:
            with open("/proc/cpuinfo", encoding="utf-8") as file:
                names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
        except OSError:
            names = []
        return names[0] if names else platform.processor() or platform.machine()

    def fail(why):
        """Raise an error, and let the script end with one even if it catches this."""
        {session}.failure = why
        raise AssertionError(why)

    def same(name, found, expected):
        """Raise an error if a tensor differs from what the session had; both may be None."""
        if found is None or expected is None:
            if found is not expected:
                fail(f"{{name}} is {{found}}; in the session it was {{expected}}")
            return
        found = found.detach().cpu()
        expected = torch.tensor(expected, dtype=found.dtype)
        kind = torch.complex128 if found.is_complex() else torch.float64
        sizes = [size for size in expected.to(kind).abs().flatten().tolist() if size < inf]
        far = 0 if {session}.is_exact else 1
        if found.shape != expected.shape or not torch.allclose(
            found.to(kind), expected.to(kind), far * rtol, far * atol * max([0, *sizes]), equal_nan=True
        ):
            fail(f"{{name}} is {{found.tolist()}}; in the session it was {{expected.tolist()}}")

'''

LARGE: Final = '''\
    def same_large(name, found, shape, digest, total, norm):
        """Raise an error if a large tensor differs: by its bytes, or elsewhere by its sum and norm."""
        import hashlib

        if found is None or tuple(found.shape) != shape:
            fail(f"{{name}} is {{found}}; in the session it had the shape {{shape}}")
        found = found.detach().cpu().contiguous()
        if {session}.is_exact:
            data = found.reshape(-1).view(torch.uint8).numpy().tobytes()
            now = hashlib.blake2b(data, digest_size=8).hexdigest()
            if now != digest:
                fail(f"{{name}} differs from the session's: the digest of its bytes is {{now}}")
        else:
            wide = found.double()
            same(f"{{name}}: sum and norm", torch.stack([wide.sum(), wide.norm()]), [total, norm])

'''

CLASS: Final = '''\
    class Stopped(SystemExit):
        """The script is where the session stood."""

    class Session:
        """Numbers of this run, compared with those of the session, round by round."""

        def __init__(self):
            """Watch every backward pass from now on."""
            self.round, self.is_over, self.is_exact, self.failure = -earlier, False, False, ""
            self.process, self.found, self.names = os.getpid(), [], dict
            plain = torch.autograd.{watched}

            @functools.wraps(plain)
            def {watched}(*args, **kwargs):
                if self.round > 0 and len(self.found) < {passes}:
                    several = args[0] if args else kwargs[{first!r}]
                    several = [several] if isinstance(several, torch.Tensor) else [*several]
                    total = several[0].detach().sum()
                    if len(several) > 1:
                        total = sum((one.detach().sum() for one in several), torch.zeros(()))
                    self.found.append((total.real if total.is_complex() else total).clone())
                return plain(*args, **kwargs)

            torch.autograd.{watched} = {watched}

        def begin_round(self, names):
            """Compare the losses of the round before, and count the next; stop after the last."""
            if os.getpid() != self.process:
                return  # a copy of the process
            if self.is_over:  # the script went on after the end: nothing more of it shall run
                sys.stdout.flush()
                os._exit(0)
            self.compare()
            self.round, self.found, self.names = self.round + 1, [], names
            if self.round == 1:
                self.is_exact = machine == (torch.__version__, torch.get_num_threads(), processor())
            if self.round > rounds and where == "between rounds":
                self.finish()
            if self.round > rounds + (where == "inside a round"):
                fail(f"the loop goes on after round {{rounds}}; in the session it did not")

        def compare(self):
            """Raise an error if the losses of the round differ from the session's."""
            expected = losses.get(self.round, [])
            for number, loss in enumerate(expected if isinstance(expected, list) else [expected]):
                name = f"round {{self.round}}: the loss"
                if isinstance(expected, list) and len(expected) > 1:
                    name += f" of backward pass {{number + 1}}"
                same(name, self.found[number] if number < len(self.found) else None, loss)

        def held(self):
            """Return the tensors that the script's names lead to, by name."""
            found = {{}}

            def take(name, value):
                if isinstance(value, torch.Tensor):
                    found.setdefault(name, value)
                elif isinstance(value, torch.nn.Module):
                    for inner, tensor in value.named_parameters():
                        take(f"{{name}}.{{inner}}", tensor)
                elif isinstance(value, torch.optim.Optimizer):
                    take(name, [one for group in value.param_groups for one in group["params"]])
                elif isinstance(value, (list, tuple, dict)):
                    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
                        take(f"{{name}}[{{key!r}}]", part)

            for name, value in self.names().items():
                take(name, value)
            return found

        def stop(self):
            """Compare the last numbers and end the script, if it is where the session stood."""
            is_there = self.round >= rounds + (where == "inside a round")
            if os.getpid() == self.process and is_there and not self.is_over:
                self.compare()
                self.finish()

        def finish(self):
            """Compare the numbers at the end, and end the script."""
            now = self.held()
            grads = {{name: one.grad if one.is_leaf else None for name, one in now.items()}}
            compare_end(now, grads, {states})
            self.is_over = True
            bits = " Each is the same to the last bit." * self.is_exact
            print(f"All numbers match those in the session.{{bits}}")
            raise Stopped(0)

        def at_end(self):
            """Fail if the script has ended elsewhere than the session, or met another number."""
            if os.getpid() != self.process or self.is_over:
                return
            try:
                if self.failure:
                    fail(self.failure)
                if where != "after the loop" or self.round < rounds:
                    fail(f"the script ended in round {{max(self.round, 0)}}, not where the session stood")
                self.stop()  # the script ended itself in its last round, as in the session
            except AssertionError as error:
                print(f"Failed: {{error}}", file=sys.stderr)
                sys.stderr.flush()
                os._exit(1)
            except Stopped:
                pass

'''

METHODS: Final[Mapping[str, str]] = {
    ".is_in(": '''\
        def is_in(self, *stretches):
            """Return whether the round is in one of several stretches of rounds."""
            return any(first <= self.round <= last for first, last in stretches)

''',
    ".set_learning_rate(": '''\
        def set_learning_rate(self, rate):
            """Set the learning rate of every parameter group of the loop's optimizers."""
            for optimizer in self.names().values():
                for group in optimizer.param_groups if isinstance(optimizer, torch.optim.Optimizer) else []:
                    if isinstance(group["lr"], torch.Tensor):
                        group["lr"].fill_(rate)
                    else:
                        group["lr"] = rate

''',
    ".expect(": '''\
        def expect(self, kind=None, part=""):
            """Raise an error unless the exception under way is the one that the session met."""
            error = sys.exc_info()[1]
            if error is None:
                fail(f"round {self.round}: the session met an error here, {kind}: {part}")
            if type(error).__name__ != kind or part not in str(error):
                raise error

''',
    ".leave(": '''\
        def leave(self, value=None):
            """Stop before a `return` leaves the loop; its value is `value`."""
            self.stop()
            return value

''',
    "with {session}:": '''\
        def __enter__(self):
            """Begin what the session ran."""

        def __exit__(self, kind, error, trace):
            """Go on after the stop."""
            return kind is Stopped

        def end(self):
            """Fail if the script has ended elsewhere than the session."""
            if not self.is_over:
                fail(f"the script ended in round {max(self.round, 0)}, not where the session stood")

''',
}
"""Source of each method that not every export needs, by the text that uses it."""

END: Final = """\
    {session} = Session()
{ending}    return {session}


{session} = {session}()
"""

MODULES: Final = '''\

    import importlib.machinery

    # Modules beside the script, with the lines that count the rounds, by their paths from its folder.
    changed = {{os.path.realpath(os.path.join(folder, name)): text for name, text in {name}.items()}}

    class Changed(importlib.machinery.SourceFileLoader):
        """Loader of these modules."""

        def get_code(self, name):
            return self.source_to_code(changed[os.path.realpath(self.path)].encode(), self.path)

    class Finder:
        """Finds these modules when they are imported."""

        @staticmethod
        def find_spec(name, path=None, target=None):
            spec = importlib.machinery.PathFinder.find_spec(name, path, target)
            if spec is None or os.path.realpath(spec.origin or "") not in changed:
                return None
            spec.loader = Changed(name, spec.origin)
            return spec

    sys.meta_path.insert(0, Finder)'''

PLACES: Final = """\
    # The script finds its data and its modules where they were, and its own arguments.
    script, started_in = {script!r}, {started_in!r}
    folder = os.path.dirname(script)
    if os.path.isdir(folder):
        globals()["__file__"] = script
    else:  # on another machine: put this file beside the data and the modules
        folder = os.path.dirname(os.path.abspath(globals().get("__file__", "notebook")))
    if os.path.isdir(started_in):
        os.chdir(started_in)
    sys.path.insert(0, folder)
    sys.argv[:] = {arguments!r}"""
