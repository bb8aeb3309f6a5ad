"""Claims: studios that share a gallery paint each painting one at a time.

**What it is.** A claim is part of a painting's item: the studio that has it, a token that was made when it was taken,
and the moment until which it counts. It is taken, renewed and let go by conditional writes, each of which changes the
item's count of changes, so that of two who want it at once one gets it. What nobody is to paint (finished, failed,
paused) is nobody's. In a folder, which one program has to itself, everything is always ours, and all of this is
nothing.

**Who takes one.** A studio for each painting that it adds, with the adding; at its start, and then once in a claim's
life, for every painting that waits and is nobody's; for one that somebody asks for by its id, if it waits; and for one
at rest whose owner wants more of it. A studio that was ended and started again finds its own claims, and has them at
once. Whoever takes one goes on from the facts that it gets with it, and not from what it knew before.

**Who keeps it.** The controller renews all that it has, three times in a claim's life. Clocks may differ by a third of
it: even then one that is renewed does not run out. It is let go when the painting is at rest, or when the studio
leaves, after the last checkpoint; so the next one takes it at once. A studio that vanishes lets its claims run out.

**What a studio without it can do: no harm.** Moments decide only who may take a claim; who has it, the token does. One
that ran out still counts for the studio that has it, until another takes it. Every change to a painting is made under
the condition that the claim is still the one under which it was begun; else it is `Taken`, and has changed nothing.
Files need no condition: no object is ever written twice. Each write of a file makes an object of its own, which becomes
the painting's by the change to its item, and is deleted if that fails; what is replaced or erased is deleted
afterwards. So neither a frame nor a checkpoint nor the picture of a studio that is late ever takes the place of a newer
one, and who reads gets the old or the new. What is still seen of one that is late is what it shows to its own viewers,
until its next renewal or write, whichever is sooner, tells it that the painting has moved.

**What a studio does with another's.** It looks on (`controller.neighbours`): tells its viewers for how long the other's
claim still counts, shows them what the other keeps, and goes on by itself as soon as it may, or is told of the end. It
refuses what an owner wants of the painting, with `painting_elsewhere`; nothing is ever painted twice for an id.

**Sweeping.** One that another studio has is never let go, however old. Those who sweep at once each delete only what is
still as they read it, and look through all of the gallery only now and then, taking turns, unless there is too much.
"""

from __future__ import annotations

from dataclasses import dataclass

LIFE = 90.0
"""Seconds for which a claim counts unless it is renewed."""


@dataclass(frozen=True)
class Claim:
    """Whose a painting is."""

    studio: str
    token: str  # of this taking; the same studio's next one has another
    until: float  # by the clock of the studio that has it
