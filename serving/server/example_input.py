"""The serialized tf.Examples of a Classify, Regress or MultiInference request."""

from __future__ import annotations

from tensorflow_serving.apis import input_pb2


def serialized_examples(given: input_pb2.Input) -> list[bytes]:
    """The examples of a request, each with the features of the context that they share.

    A feature of an example goes before the context's of the same name.
    """
    kind = given.WhichOneof("kind")
    if kind == "example_list_with_context":
        # Protocol buffers that follow each other are merged, and of entries of a map with one key the last one is kept.
        context = given.example_list_with_context.context.SerializeToString()
        return [context + example.SerializeToString() for example in given.example_list_with_context.examples]
    return [example.SerializeToString() for example in given.example_list.examples]
