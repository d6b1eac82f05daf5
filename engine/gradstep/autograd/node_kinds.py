"""Facts about kinds of autograd nodes that a recording depends on, by autograd's names for them.

The rules in `gradstep.derivatives` say how each kind makes its gradients. These facts are needed below that
package, while a pass is recorded, so they are data of their own, for everybody above to read as well.
"""

from __future__ import annotations

from typing import Final

UNPREDICTABLE_SIZES: Final = frozenset(
    f"{kind}Backward0" for kind in ("Amax", "Amin", "Aminmax", "BlockDiag", "Cdist", "Dist", "MaskedSelect")
)
"""Nodes that broadcast their inputs, but whose outputs are not as large as the broadcast inputs are."""

NEVER_BROADCASTS: Final = frozenset(f"Native{kind}NormBackward0" for kind in ("Batch", "Group", "Layer")) | {
    "ConvolutionBackward0",
    "EmbeddingBackward0",
}
"""Nodes that broadcast none of their inputs, though the shapes may look as if they did."""

ADDS_FIRST_INPUT: Final = frozenset({"AddmmBackward0", "BaddbmmBackward0"})
"""Nodes whose first gradient is the one that came in: the forward operation added that input unchanged, if
its `beta` is 1."""

WORKSPACES: Final = {"MkldnnRnnLayerBackward0": ("result3",)}
"""Names of saved tensors that are only scratch memory of a library, by the name of their node.

An LSTM layer's belongs to oneDNN. Much of it is never written to, so it holds whatever was in memory before.
"""

TAKES_LOGITS: Final = "BinaryCrossEntropyWithLogitsBackward0"
"""The node of a loss function that takes its predictions for logits."""
