"""What a model itself answers, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from components.served_model.signatures import Outputs, Signatures
from components.smoke_check.question import Question
from schemas.errors import EvaluationError

_FEEDING = (ValueError, TypeError, KeyError)
"""What TensorFlow raises where the inputs are not those of the graph."""
_SHOWN = 300  # characters of an error


def own_answers(
    version: Path, asked: Sequence[Question], *, named: bool
) -> tuple[list[tuple[Question, Outputs]], list[str]]:
    """Answers as the Evaluator has its predictions, but on the processors that the server has.

    Args:
        version: folder of the SavedModel.
        asked: what is asked, all rows of it in one batch.
        named: whether the user has named the signatures: then each must answer. Otherwise one is left out if it takes
            other inputs, or if it is a guess that its texts are examples.

    Returns:
        The questions that the model answers, with the answers, and a line for each of the others.

    Raises:
        EvaluationError: the model cannot be loaded, or does not answer.
    """
    try:
        model = Signatures(str(version), tuple(question.signature for question in asked), gpus=False)
    except (tf.errors.OpError, OSError, RuntimeError, *_FEEDING) as error:
        raise EvaluationError(
            "The model cannot be loaded.",
            where=str(version),
            received=_told(error),
            fix="See what run_fn exports; if that is right, train the model again.",
        ) from error
    answers: list[tuple[Question, Outputs]] = []
    skipped = []
    for question in asked:
        try:
            answers.append((question, model.ask(question.signature, question.inputs)))
        except (tf.errors.OpError, *_FEEDING) as error:
            skipped.append(f"{question.signature}: {_told(error)}")
            # A client's request with such rows would end so, too.
            if named or (isinstance(error, tf.errors.OpError) and not question.is_guess):
                raise _unanswered(skipped[-1]) from error
    if not answers:
        raise _unanswered("; ".join(skipped))
    return answers, skipped


def _unanswered(received: str) -> EvaluationError:
    return EvaluationError(
        "The model does not answer for rows of its own data.",
        where="smoke_check.signatures",
        received=received,
        fix="Mend the signature, name others in smoke_check.signatures, or switch the check off by "
        "smoke_check.enabled: false.",
    )


def _told(error: Exception) -> str:
    """The first line of a message that says something: below it TensorFlow names nodes and its own calls."""
    text = (getattr(error, "message", None) or str(error)).removeprefix("Graph execution error:")
    return text.strip().partition("\n")[0][:_SHOWN]
