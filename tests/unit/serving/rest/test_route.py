from __future__ import annotations

import pytest

from serving.rest.route import Route, read_route
from serving.server.request_error import RequestError

RESERVED = "%21%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%40%5B%5D"


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("POST", "/v1/models/m:predict", Route("predict", "m")),
        ("POST", "/v1/models/m/versions/0050:classify", Route("classify", "m", version=50)),
        ("POST", "/v1/models/m/labels/canary:regress", Route("regress", "m", label="canary")),
        ("POST", "/V1/MODELS/M/Versions/2:predict", Route("predict", "M", version=2)),
        ("GET", "/v1/models/m", Route("status", "m")),
        ("GET", "/v1/models/m/versions/9223372036854775807", Route("status", "m", version=2**63 - 1)),
        ("GET", "/v1/models/m/metadata", Route("metadata", "m")),
        ("GET", "/v1/models/m/labels/l/metadata", Route("metadata", "m", label="l")),
        ("GET", "/v1/models/m/METADATA", Route("status", "m")),
        ("GET", "/v1/models/m?a=b", Route("status", "m?a=b")),
        ("GET", "/v1/models/a+~!$&'()*,;=@%C3%BC", Route("status", "a+~!$&'()*,;=@\u00fc")),
        ("GET", f"/v1/models/n{RESERVED}", Route("status", "n!#$%&'()*+,/:;=?@[]")),
        ("GET", f"/v1/models/m/labels/l{RESERVED}", Route("status", "m", label="l!#$%&'()*+,/:;=?@[]")),
    ],
)
def test_routes(method: str, path: str, route: Route) -> None:
    assert read_route(method, path) == route


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/foo"),
        ("POST", "/v1/foo"),
        ("POST", "/v1/models"),
        ("GET", "/v1/models/debug/model_name"),
        ("GET", "/v1/models/foo:predict"),
        ("PUT", "/v1/models/foo:predict"),
        ("DELETE", "/v1/models/foo"),
        ("HEAD", "/v1/models/foo"),
        ("POST", "/v1/models/foo:bar"),
        ("POST", "/v1/models/foo:PREDICT"),
        ("POST", "/v1/models/foo/version/50:regress"),
        ("POST", "/v1/models/foo/versions/HELLO:regress"),
        ("POST", "/v1/models/foo/versions/\u0661:regress"),
        ("POST", "/v1/models/foo/metadata"),
        ("POST", "/v1/models/foo/versions/50/labels/l:regress"),
        ("GET", "/v1/models/foo/"),
        ("GET", "/v1/models/../../etc/passwd"),
        ("POST", "/v1/models/foo:predict?a=b"),
        ("GET", "/v1/models/50%"),
        ("GET", "/v1/models/50%2"),
        ("GET", "/v1/models/[foo]"),
        ("GET", '/v1/models/"foo"'),
        ("GET", "/v1/models/f\xc3\xb6\xc3\xb6"),
    ],
)
def test_paths_that_are_no_route(method: str, path: str) -> None:
    with pytest.raises(RequestError) as error:
        read_route(method, path)
    assert error.value.message == f"Malformed request: {method} {path}"


@pytest.mark.parametrize(
    "version", ["18446744073709551615", "9223372036854775808", "1" + "0" * 5000], ids=["unsigned", "next", "long"]
)
def test_versions_beyond_64_bits(version: str) -> None:
    with pytest.raises(RequestError, match=r"^Failed to convert version: \d+ to numeric\.$"):
        read_route("POST", f"/v1/models/foo/versions/{version}:regress")


def test_a_list_of_models_there_is_not() -> None:
    with pytest.raises(RequestError, match=r"^Missing model name in request\.$"):
        read_route("GET", "/v1/models")
