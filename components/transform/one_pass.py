"""A preprocessing_fn whose statistics all come from one pass over the data."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_transform import analyzer_nodes, annotators, graph_context, graph_tools, nodes, tf2_utils, tf_utils
from tensorflow_transform.saved import saved_transform_io_v2

from transforms.statistics import WriteVocabularies

Preprocessing = Callable[[Mapping[str, Any]], Mapping[str, Any]]
Values = list[tuple[np.ndarray[Any, Any], ...]]
"""Of one batch or of all data: for each statistic of a pass a tuple of arrays."""

_TRACING = threading.Lock()  # TFT's tracker is one for the process, in which an engine may run several workers


class BeyondOnePassError(Exception):
    """A preprocessing_fn needs more than one pass of combiners over columns; the text says what of it."""


@dataclass(frozen=True)
class Answer:
    """Where the value of a tensor in the graph comes from.

    Args:
        tensor: its name.
        dtype: its type.
        statistic: number of the statistic.
        place: which of the statistic's outputs.
        vocabulary: set where the output is a list of vocabularies and the tensor the path of a file: the vocabulary's
            place in the list, and the name of the file.
    """

    tensor: str
    dtype: tf.DType
    statistic: int
    place: int
    vocabulary: tuple[int, str] | None = None


class OnePass:
    """The first half of a preprocessing_fn: what its statistics are computed from.

    Args:
        preprocessing_fn: as TFT takes it.
        specs: types of its inputs.
        folder: for the empty files that stand for vocabularies while the function is traced.

    Attributes:
        combiners: one for each statistic, TFT's.
        answers: what each placeholder in the graph stands for.
        columns: names of the inputs that the statistics need.
        assets: file of each named asset, as TFT's annotations tell it.

    Raises:
        BeyondOnePassError: one pass is not enough, or not everything is a combiner.
    """

    def __init__(self, preprocessing_fn: Preprocessing, specs: Mapping[str, tf.TypeSpec], folder: str) -> None:
        context = graph_context.TFGraphContext(module_to_export=tf.Module(), temp_dir=folder)
        found: dict[str, Any] = {}

        @tf.function(input_signature=[dict(specs)], autograph=False)
        def inputs_of_statistics(inputs: Mapping[str, Any]) -> list[Any]:
            with context:
                outputs = preprocessing_fn(tf_utils.copy_tensors(inputs))
            graph = tf.compat.v1.get_default_graph()
            _check_outputs(outputs, graph)
            statistics, found["answers"] = _statistics(graph.get_collection(analyzer_nodes.TENSOR_REPLACEMENTS))
            found["combiners"] = [combiner for combiner, _ in statistics]
            return [list(tensors) for _, tensors in statistics]

        with _TRACING, annotators.object_tracker_scope(annotators.ObjectTracker()):
            concrete = inputs_of_statistics.get_concrete_function()
        # As TFT does: what only checks or prints is not part of it, and would meet values that are not there yet.
        self._function = saved_transform_io_v2.optimize_concrete_function(concrete, strip_control_dependencies=True)
        self.combiners: list[analyzer_nodes.Combiner] = found["combiners"]
        self.answers: list[Answer] = found["answers"]
        self.assets: dict[str, str] = dict(annotators.get_asset_annotations(concrete.graph))
        structured = tf2_utils.get_structured_inputs_from_func_graph(concrete.graph)
        fetches = tf.nest.flatten(concrete.structured_outputs)
        _check_independent(fetches, {answer.tensor for answer in self.answers})
        self.columns: Collection[str] = frozenset(graph_tools.get_dependent_inputs(concrete.graph, structured, fetches))

    def inputs(self, tensors: Mapping[str, Any]) -> Values:
        """What the combiners take of one batch."""
        return [tuple(np.asarray(value) for value in values) for values in self._function(dict(tensors))]

    def replacements(self, values: Values, folder: str) -> dict[str, tf.Tensor]:
        """What stands for the placeholders once the statistics are known.

        Args:
            values: the statistics' outputs.
            folder: where the vocabularies' files are written.

        Returns:
            {name of the placeholder: constant}, as TFT's graph context takes it.
        """
        replaced = {}
        for answer in self.answers:
            value: Any = values[answer.statistic][answer.place]
            if answer.vocabulary is not None:
                number, name = answer.vocabulary
                value = WriteVocabularies.write(value[number], folder, name)
            replaced[answer.tensor] = tf.constant(value, answer.dtype)
        return replaced


def _check_outputs(outputs: Any, graph: tf.Graph) -> None:
    # What TFT says of it is right; it is left to say it.
    if not isinstance(outputs, dict) or not outputs:
        raise BeyondOnePassError("preprocessing_fn returns no dictionary of tensors")
    if graph.get_collection(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES):
        raise BeyondOnePassError("preprocessing_fn makes trainable variables")


def _statistics(
    sinks: Iterable[analyzer_nodes.TensorSink],
) -> tuple[list[tuple[analyzer_nodes.Combiner, Sequence[tf.Tensor]]], list[Answer]]:
    """The combiners and their inputs, and the answers that they give."""
    numbers: dict[int, int] = {}
    statistics: list[tuple[analyzer_nodes.Combiner, Sequence[tf.Tensor]]] = []

    def number_of(value: nodes.ValueNode) -> int:
        """The number of the statistic that a value is an output of."""
        extract = _parent(value, analyzer_nodes.ExtractCombineMergeOutputs)
        merge = _parent(_only_input(extract), analyzer_nodes.CacheableCombineMerge)
        accumulate = _parent(_only_input(merge), analyzer_nodes.CacheableCombineAccumulate)
        source = _parent(_only_input(accumulate), analyzer_nodes.TensorSource)
        if id(accumulate) not in numbers:
            numbers[id(accumulate)] = len(statistics)
            statistics.append((accumulate.operation_def.combiner, source.operation_def.tensors))
        return numbers[id(accumulate)]

    answers = []
    for sink in sinks:
        definition = sink.future.parent_operation.operation_def
        vocabulary, value = None, sink.future
        if isinstance(definition, analyzer_nodes.PTransform) and isinstance(definition.ptransform, WriteVocabularies):
            vocabulary = (value.value_index, definition.ptransform.names[value.value_index])
            value = _only_input(value.parent_operation)
        elif sink.is_asset_filepath:
            raise _beyond(definition)
        answers.append(Answer(sink.tensor.name, sink.tensor.dtype, number_of(value), value.value_index, vocabulary))
    return statistics, answers


def _beyond(definition: nodes.OperationDef) -> BeyondOnePassError:
    return BeyondOnePassError(f"{definition.label} needs more than one pass of combiners over the data")


def _parent(value: nodes.ValueNode, kind: type) -> nodes.OperationNode:
    operation = value.parent_operation
    if not isinstance(operation.operation_def, kind):
        raise _beyond(operation.operation_def)
    return operation


def _only_input(operation: nodes.OperationNode) -> nodes.ValueNode:
    if len(operation.inputs) != 1:
        raise _beyond(operation.operation_def)
    return operation.inputs[0]


def _check_independent(fetches: Iterable[tf.Tensor], placeholders: Collection[str]) -> None:
    """No statistic may be computed from another one, nor from a table, which may hold another one."""
    waiting = [tensor.op for tensor in fetches]
    seen = set(waiting)
    while waiting:
        operation = waiting.pop()
        for tensor in operation.inputs:
            if tensor.name in placeholders or tensor.dtype == tf.resource:
                raise BeyondOnePassError(f"{operation.name} is computed from another statistic or a table")
            if tensor.op not in seen:
                seen.add(tensor.op)
                waiting.append(tensor.op)
