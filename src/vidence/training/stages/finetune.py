"""Stage 2: fine-tuning from short to long: the assistant's words alone, over phases of growing length and rate.

Published: 2 frames a second and up to 512 of them in about 32K tokens, then 4 and up to 2,048 in 256K.
"""

from __future__ import annotations

from vidence.training.stages.pretrain import Pretrain


class Finetune(Pretrain):
    """Short-to-long fine-tuning: it differs from pretraining in its phases, and in what samples mark as said."""
