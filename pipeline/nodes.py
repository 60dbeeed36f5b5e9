"""Ids of the nodes: the names under which the graph, the logs, the cache and ML Metadata know them."""

from __future__ import annotations

EXAMPLE_GEN = "ExampleGen"
STATISTICS_GEN = "StatisticsGen"
SCHEMA_GEN = "SchemaGen"
IMPORT_SCHEMA_GEN = "ImportSchemaGen"
EXAMPLE_VALIDATOR = "ExampleValidator"
ANOMALY_GATE = "AnomalyGate"
TRANSFORM = "Transform"
TRAINER = "Trainer"
LATEST_BLESSED = "LatestBlessed"
EVALUATOR = "Evaluator"
PUSHER = "Pusher"
