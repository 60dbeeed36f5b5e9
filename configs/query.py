"""Settings of a query: what is read from a database instead of files."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from configs.secret import SecretUrl
from configs.section import Location, Section
from configs.store_url import parse_store_url
from schemas.errors import PlacedValueError

SCHEMES = ("postgresql", "mysql")
"""Of `url`; mysql:// is MariaDB's, too."""
_EXAMPLE = "postgresql://user:${PASSWORD}@host:5432/database"


class Query(Section):
    """Rows of a database, read by one SELECT."""

    url: SecretUrl | None = Field(
        None,
        description="For sql: postgresql://user:${PASSWORD}@host/database or mysql://..., which is MariaDB's, too; "
        "?password_file= and the parameters of TLS are those of metadata.url, see docs/metadata.md.",
    )
    text: str | None = Field(
        None,
        min_length=1,
        description="The SELECT, which is recorded with every run. {SPAN} in it is data.span, and {YYYY}-{MM}-{DD} its "
        "date: values, not in quotes.",
    )
    file: Location | None = Field(None, description="A file with the SELECT, instead of text.")
    timeout_seconds: float | None = Field(
        None, gt=0, description="How long the query may take, its rows included; default: what the server allows."
    )
    project: str | None = Field(
        None, description="For bigquery: the project that pays; default: that of Google's default credentials."
    )
    location: str | None = Field(None, description="For bigquery: where the data sets are, such as EU.")
    maximum_bytes_billed: int | None = Field(
        None, ge=1, description="For bigquery: a query that would be billed for more bytes is refused by the service."
    )

    @field_validator("url")
    @classmethod
    def _is_a_database(cls, url: SecretUrl | None) -> SecretUrl | None:
        if url is None:
            return url
        scheme, found, _ = str(url).partition("://")
        if not found or scheme not in SCHEMES:
            raise PlacedValueError(
                f"must begin with postgresql:// or mysql://, for example {_EXAMPLE}",
                (),
                known=[f"{name}://" for name in SCHEMES],
                received=f"{scheme}://" if found else "no ://",
            )
        parse_store_url(url)
        return url

    @model_validator(mode="after")
    def _one_statement(self) -> Query:
        if (self.text is None) == (self.file is None):
            raise ValueError("must have either text or file")
        return self
