"""Ids of the nodes: the names under which the graph, the logs, the cache and ML Metadata know them."""

from __future__ import annotations

EXAMPLE_GEN = "ExampleGen"
STATISTICS_GEN = "StatisticsGen"
PREVIOUS_SPAN = "PreviousSpan"
SERVING_EXAMPLE_GEN = "ServingExampleGen"
SERVING_STATISTICS_GEN = "ServingStatisticsGen"
SCHEMA_GEN = "SchemaGen"
IMPORT_SCHEMA_GEN = "ImportSchemaGen"
EXAMPLE_VALIDATOR = "ExampleValidator"
ANOMALY_GATE = "AnomalyGate"
SPAN_WINDOW = "SpanWindow"
TRANSFORM = "Transform"
BASE_MODEL = "BaseModel"
TRAINER = "Trainer"
LATEST_BLESSED = "LatestBlessed"
EVALUATOR = "Evaluator"
SMOKE_CHECK = "SmokeCheck"
PUSHER = "Pusher"

INFERENCE_EXAMPLE_GEN = "InferExampleGen"
BLESSED_MODEL = "BlessedModel"
GIVEN_MODEL = "GivenModel"
BULK_INFERRER = "BulkInferrer"

OF_TRAINING = (
    *(EXAMPLE_GEN, STATISTICS_GEN, SCHEMA_GEN, IMPORT_SCHEMA_GEN, EXAMPLE_VALIDATOR, ANOMALY_GATE, TRANSFORM, TRAINER),
    *(LATEST_BLESSED, EVALUATOR, PUSHER, PREVIOUS_SPAN, SERVING_EXAMPLE_GEN, SERVING_STATISTICS_GEN, SPAN_WINDOW),
    *(BASE_MODEL, SMOKE_CHECK),
)
OF_INFERENCE = (INFERENCE_EXAMPLE_GEN, BLESSED_MODEL, GIVEN_MODEL, BULK_INFERRER)
